"""Minutes planned again from rows of `clips` and the bytes of their files."""

import io
from dataclasses import replace

import pytest
from running import SAMPLE

from transforms.clips.refs import ClipName, ClipRef, InputFile
from transforms.clips.shards import plan_drives
from transforms.explaining.errors import CannotExplainError
from transforms.explaining.parts import find_part
from transforms.labels.rows import clip_columns
from transforms.labels.settings import LabelSettings
from transforms.scenes.filming import film_seed
from transforms.storage import open_stream
from transforms.tasks import probe_file

CONTEXT_NS = LabelSettings().context_ns


def probed(path, root=SAMPLE) -> ClipRef:
    clip = probe_file(InputFile(uri=str(path), root=str(root), bytes=path.stat().st_size), None)
    assert isinstance(clip, ClipRef), clip
    return clip


def rows_of(plans):
    """The rows of `clips` that shards of these plans hold."""
    return [
        {
            name: values[0]
            for name, values in clip_columns(
                part.clip,
                clip_id=part.clip.clip_id,
                drive_id=plan.drive_id,
                event_id=None,
                duplicate_of=None,
                settings=LabelSettings(),
            ).items()
        }
        for plan in plans
        for part in plan.parts
        if part.start_ns == 0
    ]


def without_clock(clip):
    """All of a clip that its boxes depend on."""
    none = ClipName(source="", vehicle="", camera="")
    return replace(clip, name=none, start_utc_ns=None, clock_source="none", clock_offset_ns=None)


def assert_planned_alike(plans, times_ns=(0, 300_000_000)):
    rows = rows_of(plans)
    for part in (part for plan in plans for part in plan.parts):
        for time_ns in times_ns:
            row = {"clip_id": part.clip.clip_id, "timestamp_ns": part.start_ns + time_ns}
            found = find_part(rows, row, CONTEXT_NS, open_stream)
            assert without_clock(found.clip) == without_clock(part.clip)
            assert (found.start_ns, found.stop_ns) == (part.start_ns, part.stop_ns)
            assert (found.context is None) == (part.context is None)
            if part.context:
                assert without_clock(found.context.clip) == without_clock(part.context.clip)
                assert replace(found.context, clip=part.context.clip) == part.context


@pytest.fixture(scope="module")
def minutes():
    paths = SAMPLE.glob("TeslaCam/SavedClips/*/*.mp4")
    return list(plan_drives([probed(path) for path in paths if path.stem.endswith("-front")], CONTEXT_NS))


def test_minutes_of_a_drive_see_the_end_of_the_one_before(minutes):
    assert [bool(plan.parts[0].context) for plan in minutes] == [False, True]
    # the first window of a clip also has frames from before its begin
    assert_planned_alike(minutes, (0, 300_000_000, -40_000_000))


def test_a_long_file_is_cut_at_its_own_minutes_whatever_it_is_called(tmp_path):
    for name in ("long.mp4", "2025-06-14_09-00-00-front.mp4"):
        path = tmp_path / name
        path.write_bytes(film_seed(3, 61.0, 1, 160, 90).content)
        clip = probed(path, tmp_path)
        plans = list(plan_drives([replace(clip, name=replace(clip.name, minute=None))], CONTEXT_NS))
        assert len(plans) == 2
        assert_planned_alike(plans)


def test_clips_that_are_not_known_or_not_what_they_were(minutes):
    rows = rows_of(minutes)
    row = {"clip_id": rows[0]["clip_id"], "timestamp_ns": 0}
    with pytest.raises(CannotExplainError, match="no row of clips"):
        find_part(rows[1:], row, CONTEXT_NS, open_stream)
    with pytest.raises(CannotExplainError, match="no clip is as long"):
        find_part([{**rows[0], "duration_ns": 2**62}], row, CONTEXT_NS, open_stream)
    with pytest.raises(CannotExplainError, match=r"is no longer the file that was labelled"):
        find_part(rows, row, CONTEXT_NS, lambda _uri: io.BytesIO(b"x" * 4096))
