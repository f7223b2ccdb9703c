from dataclasses import replace

import pytest

from transforms.budget.demand.figures import CameraFigures, DatasetFigures
from transforms.budget.demand.footage import bytes_per_camera_hour, footage_of, pictures_of
from transforms.budget.draws import Draws, Inputs, OneAtATime


def inputs():
    return Inputs(OneAtATime(()))


def test_an_hour_weighs_what_the_data_set_says(facts, figures):
    noted = inputs()
    footage = footage_of(facts, figures, noted)
    assert footage.hours == 400
    assert list(footage.stored_bytes) == [1e12 / 400]
    kinds = {item.name: item.kind for item in noted.assumptions}
    assert kinds["bytes_per_camera_hour"] == "measured"
    assert kinds["decoding_speed"] == "estimate"


def test_an_hour_without_known_size_has_a_usual_bit_rate(facts, figures):
    noted = inputs()
    size = bytes_per_camera_hour(facts, replace(figures, bytes=0), noted)
    assert list(size) == [facts.storage.camera_bitrate.p50 * 3600 / 8]
    assert [item.kind for item in noted.assumptions] == ["reported"]


def test_all_frames_are_decoded(facts):
    camera = CameraFigures("front", 1000, 500, 40.0, 2.0)
    footage = footage_of(facts, DatasetFigures(2.0, 1, 10, (camera,)), inputs())
    assert list(footage.decode_core_s) == [pytest.approx(40 * 3600 * 500_000 / facts.decoding.speed.p50)]


def test_pictures_alone_are_read(facts):
    cameras = (CameraFigures("back", 1000, 500, 40.0, 1.0), CameraFigures("front", 1000, 1000, 40.0, 3.0))
    figures = DatasetFigures(4.0, 1, 20_000, cameras)
    footage = pictures_of(facts, figures, 20_000, inputs())
    pixels = 5000 * 875_000
    assert footage.hours == 4
    assert list(footage.stored_bytes) == [pytest.approx(pixels * facts.storage.picture_bytes.p50)]
    assert list(footage.decode_core_s) == [pytest.approx(pixels / facts.decoding.picture_speed.p50)]
    assert footage.decode_core_s < footage_of(facts, figures, inputs()).decode_core_s


def test_draws_have_their_number(facts, figures):
    footage = footage_of(facts, figures, Inputs(Draws(count=7)))
    assert footage.stored_bytes.shape == footage.decode_core_s.shape == (7,)


def test_no_hours_are_no_footage(facts):
    assert footage_of(facts, DatasetFigures(0.0, 0, 0, ()), inputs()) is None
    assert pictures_of(facts, DatasetFigures(0.0, 0, 0, ()), 10, inputs()) is None


def test_no_frames_are_no_pictures(facts, figures):
    assert pictures_of(facts, figures, 0, inputs()) is None
