"""Faces and plates of known place: no picture that leaves shows one, whichever way it takes."""

import base64
import http.client
import io
import json
import re
import shutil
import tarfile
from collections import defaultdict

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from privacy_networks import write_fixed_finder
from viewer_servers import viewer

from pipelines.cli import main
from transforms.clips.reopening import reopen
from transforms.exports.settings import EXPORT_VERSION
from transforms.labels.privacy.covering import pixels
from transforms.labels.privacy.rules import HEADS, PLATES
from transforms.labels.privacy.settings import Blur
from transforms.storage import open_stream
from transforms.tables.blurred import BLURRED
from transforms.tables.queries import connect
from transforms.views.blurring import frame_cover
from transforms.views.drawing import frames_at

EDGES = ("x_min_px", "y_min_px", "x_max_px", "y_max_px")
SIZE = (640, 360)
MOST_COLOURS = 12
"""A face or plate of these scenes lies in so few cells; as it was taken nearly every pixel has a colour of its own."""


@pytest.fixture(scope="module")
def labelled(clipmill, tmp_path_factory):
    place = tmp_path_factory.mktemp("blurring")
    done = clipmill(
        "sample", place / "scenes", "--seed", 10_913, "--clips", 2, "--seconds", 1, "--private-parts"
    )
    assert done.code == 0, done.errors
    done = clipmill("label", place / "scenes/generic", "-o", place / "out", "--model", "demo", "--fps", 4)
    assert done.code == 0, done.errors
    return place


@pytest.fixture(scope="module")
def dataset(labelled):
    return labelled / "out"


@pytest.fixture(scope="module")
def originals(dataset):
    """Labelled frames as they were taken, by clip and time."""
    with connect(dataset) as data:
        rows = data.execute(
            "SELECT clip_id, uri, content_sha256, pts, timestamp_ns FROM frames JOIN clips USING (clip_id)"
            " WHERE sample_index IS NOT NULL"
        ).fetchall()
    clips = defaultdict(dict)
    for clip, uri, digest, pts, time_ns in rows:
        clips[clip, uri, digest][pts] = time_ns
    return {
        (clip, times[pts]): image
        for (clip, uri, digest), times in clips.items()
        for pts, image in frames_at(reopen(uri, digest, open_stream), set(times), open_stream)
    }


@pytest.fixture(scope="module")
def truth(labelled, originals):
    """Places of the faces and plates that can be seen, by clip and time: (kind, first column, row, and past the last)."""
    found = defaultdict(list)
    for row in pq.read_table(labelled / "scenes/truth/private_parts.parquet").to_pylist():
        key = row["clip_id"], row["timestamp_ns"]
        is_seen = row["visibility"] >= 0.5 and row["y_max_px"] - row["y_min_px"] >= 4
        if key in originals and is_seen:
            found[key].append((row["kind"], *pixels(tuple(row[name] for name in EDGES), *SIZE)))
    assert {kind for parts in found.values() for kind, *_ in parts} == {"face", "plate"}
    assert sum(map(len, found.values())) >= 8
    return found


def is_shown(picture, original, part) -> bool:
    """Whether a picture shows anything of a part that can be recognised."""
    _, left, top, right, bottom = part
    inside, taken = (image[top:bottom, left:right].reshape(-1, 3) for image in (picture, original))
    as_taken = (inside.astype(int) == taken).all(axis=1).mean()
    return as_taken > 0.2 or len(np.unique(inside, axis=0)) > MOST_COLOURS


def assert_none_shown(pictures, originals, truth):
    assert pictures
    asked = [(key, part) for key in pictures for part in truth.get(key, [])]
    assert asked
    for key, part in asked:
        assert not is_shown(pictures[key], originals[key], part), (key, part)


def decoded(content):
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)


def exported(folder):
    """Pictures of a YOLO export by clip and time."""
    return {(path.parent.name, int(path.stem)): decoded(path.read_bytes()) for path in folder.rglob("*.png")}


def export(capsys, dataset, output, *options):
    code = main(["export", str(dataset), "-o", str(output), "--image-format", "png", "--json", *options])
    return code, json.loads(capsys.readouterr().out)


def test_frames_as_they_were_taken_would_show_them(dataset, originals, truth, tmp_path, capsys):
    code, told = export(capsys, dataset, tmp_path / "yolo", "--format", "yolo", "--blur", "none")
    assert (code, told["blurred"]) == (0, 0)
    pictures = exported(tmp_path / "yolo")
    assert all(np.array_equal(pictures[key], originals[key]) for key in originals)
    assert all(
        is_shown(pictures[key], originals[key], part) for key, parts in truth.items() for part in parts
    )
    assert not (tmp_path / "yolo" / "blurred.parquet").exists()


def test_exported_images_show_none_and_the_audit_tells_what_was_blurred(
    dataset, originals, truth, tmp_path, capsys
):
    # which labels are exported makes no difference to what is blurred
    options = ("--format", "yolo", "--category", "truck", "--min-score", "0.9", "--require-blur")
    code, told = export(capsys, dataset, tmp_path / "yolo", *options)
    assert code == 0, told
    pictures = exported(tmp_path / "yolo")
    assert set(pictures) == set(originals)
    assert_none_shown(pictures, originals, truth)
    audit = pq.read_table(tmp_path / "yolo" / "blurred.parquet")
    assert audit.schema.remove_metadata() == BLURRED.remove_metadata()
    assert told["blurred"] == audit.num_rows > 0
    assert told["settings"]["blur"] == {"kinds": ["face", "plate"], "networks": [], "rules": True}
    changed = {key: np.zeros(SIZE[::-1], bool) for key in originals}
    for row in audit.to_pylist():
        assert (row["kind"], row["model"]) in {("face", HEADS), ("plate", PLATES)}
        assert (row["model_digest"], row["carried"]) == (None, False)
        assert row["picture"] == f"images/{row['clip_id']}/{row['timestamp_ns']:015d}.png"
        left, top, right, bottom = pixels(tuple(row[name] for name in EDGES), *SIZE)
        changed[row["clip_id"], row["timestamp_ns"]][top:bottom, left:right] = True
    for key, mask in changed.items():
        assert np.array_equal(pictures[key][~mask], originals[key][~mask])
        assert all(mask[part[2] : part[4], part[1] : part[3]].all() for part in truth.get(key, []))


@pytest.mark.parametrize("form", ["coco", "mot", "kitti", "cvat", "webdataset", "fiftyone"])
def test_every_format_names_its_images_in_the_audit(dataset, originals, truth, tmp_path, capsys, form):
    options = ["--with-images"] if form != "cvat" else []
    assert export(capsys, dataset, tmp_path / form, "--format", form, *options)[0] == 0
    files = {
        path.relative_to(tmp_path / form).as_posix(): path.read_bytes()
        for path in (tmp_path / form).rglob("*.png")
    }
    if form == "webdataset":
        with tarfile.open(fileobj=io.BytesIO((tmp_path / form / "shard-000000.tar").read_bytes())) as archive:
            files = {
                entry.name: archive.extractfile(entry).read()
                for entry in archive
                if entry.name.endswith(".png")
            }
    rows = pq.read_table(tmp_path / form / "blurred.parquet").to_pylist()
    names = {(row["clip_id"], row["timestamp_ns"]): row["picture"] for row in rows}
    assert len(files) == len(originals)
    assert set(names.values()) <= set(files)
    assert_none_shown({key: decoded(files[name]) for key, name in names.items()}, originals, truth)


def test_without_rules_only_what_networks_find_is_blurred_and_forget_keeps_to_it(
    dataset, originals, tmp_path, capsys
):
    shutil.copytree(dataset, tmp_path / "out")
    card = write_fixed_finder(tmp_path)
    options = ("--format", "yolo", "--require-blur", "--no-blur-rules", "--blur-model", str(card))
    code, told = export(capsys, tmp_path / "out", tmp_path / "yolo", *options)
    assert code == 0, told
    assert told["settings"]["blur"]["rules"] is False
    _, by_rule = export(capsys, tmp_path / "out", tmp_path / "other", *options[:3], *options[4:])
    assert by_rule["settings_digest"] != told["settings_digest"]
    assert by_rule["blurred"] > told["blurred"]

    def assert_only_networks(clips):
        rows = pq.read_table(tmp_path / "yolo" / "blurred.parquet").to_pylist()
        assert {(row["kind"], row["model"]) for row in rows} == {("face", "fixed"), ("plate", "fixed")}
        assert {row["clip_id"] for row in rows} == clips
        pictures = exported(tmp_path / "yolo")
        changed = {key: np.zeros(SIZE[::-1], bool) for key in pictures}
        for row in rows:
            left, top, right, bottom = pixels(tuple(row[name] for name in EDGES), *SIZE)
            changed[row["clip_id"], row["timestamp_ns"]][top:bottom, left:right] = True
        for key, mask in changed.items():
            assert np.array_equal(pictures[key][~mask], originals[key][~mask])
        # the parts of vehicles that a rule would have blurred are mostly left
        assert np.mean([mask.mean() for mask in changed.values()]) < 0.05

    clips = {clip for clip, _ in originals}
    assert_only_networks(clips)
    gone = min(clips)
    assert main(["forget", str(tmp_path / "out"), "--clip", gone, "--json"]) == 0
    fates = {item["output"]: item["fate"] for item in json.loads(capsys.readouterr().out)["exports"]}
    assert fates[str(tmp_path / "yolo")] == "written anew"
    assert_only_networks(clips - {gone})


def test_what_people_set_aside_is_blurred_all_the_same(dataset, originals, truth, tmp_path, capsys):
    shutil.copytree(dataset, tmp_path / "out")
    for path in (tmp_path / "out" / "detections").glob("*.parquet"):
        table = pq.read_table(path)
        place = table.schema.get_field_index("score")
        zeros = pa.array([0.0] * table.num_rows, table.schema.field(place).type)
        pq.write_table(table.set_column(place, table.schema.field(place), zeros), path)
    code, told = export(capsys, tmp_path / "out", tmp_path / "yolo", "--format", "yolo", "--require-blur")
    assert (code, told["boxes"]) == (0, 0)
    assert_none_shown(exported(tmp_path / "yolo"), originals, truth)


def test_what_the_environment_asks_for_holds_for_exports_that_are_written_anew(
    dataset, originals, truth, tmp_path, capsys, monkeypatch
):
    shutil.copytree(dataset, tmp_path / "out")
    options = ("--format", "yolo", "--blur", "none")
    assert export(capsys, tmp_path / "out", tmp_path / "yolo", *options)[0] == 0
    monkeypatch.setenv("CLIPMILL_REQUIRE_BLUR", "1")
    gone, stays = sorted({clip for clip, _ in originals})
    assert main(["forget", str(tmp_path / "out"), "--clip", gone, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["exports"]
    (fate,) = [item for item in told if item["output"] == str(tmp_path / "yolo")]
    assert (fate["fate"], fate["reason"]) == ("written anew", "")
    pictures = exported(tmp_path / "yolo")
    assert {clip for clip, _ in pictures} == {stays}
    assert not [
        part
        for key, parts in truth.items()
        if key in pictures
        for part in parts
        if is_shown(pictures[key], originals[key], part)
    ]


def test_an_export_whose_network_is_gone_is_deleted_and_told_why(dataset, originals, tmp_path, capsys):
    shutil.copytree(dataset, tmp_path / "out")
    network = write_fixed_finder(tmp_path)
    options = ("--format", "coco", "--with-images", "--blur-model", str(network))
    code, told = export(capsys, tmp_path / "out", tmp_path / "coco", *options)
    assert code == 0, told
    network.unlink()
    gone = min(clip for clip, _ in originals)
    assert main(["forget", str(tmp_path / "out"), "--clip", gone, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["exports"]
    (fate,) = [item for item in told if item["output"] == str(tmp_path / "coco")]
    assert fate["fate"] == "deleted"
    assert str(network) in fate["reason"]
    assert not (tmp_path / "coco").exists()


def test_an_export_of_a_time_before_blurring_is_written_anew_with_it(dataset, originals, tmp_path, capsys):
    shutil.copytree(dataset, tmp_path / "out")
    options = ("--format", "yolo", "--blur", "none")
    assert export(capsys, tmp_path / "out", tmp_path / "yolo", *options)[0] == 0
    record = tmp_path / "yolo" / "clipmill_export.json"
    facts = json.loads(record.read_bytes())
    facts["export_version"] = 1
    del facts["settings"]["blur"], facts["settings"]["split_version"]
    record.write_text(json.dumps(facts))
    gone, stays = sorted({clip for clip, _ in originals})
    assert main(["forget", str(tmp_path / "out"), "--clip", gone, "--json"]) == 0
    fates = {item["output"]: item["fate"] for item in json.loads(capsys.readouterr().out)["exports"]}
    assert fates[str(tmp_path / "yolo")] == "written anew"
    facts = json.loads(record.read_bytes())
    assert (facts["export_version"], facts["settings"]["blur"]["kinds"]) == (
        EXPORT_VERSION,
        ["face", "plate"],
    )
    assert {row["clip_id"] for row in pq.read_table(tmp_path / "yolo" / "blurred.parquet").to_pylist()} == {
        stays
    }


def test_drawn_frames_show_none(dataset, originals, truth, tmp_path, capsys):
    with connect(dataset) as data:
        clips = [row[0] for row in data.execute("SELECT clip_id FROM clips").fetchall()]
    for clip in clips:
        # boxes and captions are drawn over what is blurred; without them the frame itself is compared
        options = ("--clip", clip, "--frames", "4", "--min-score", "1", "--json")
        assert main(["inspect", str(dataset), *options, "--to", str(tmp_path / clip)]) == 0
        told = json.loads(capsys.readouterr().out)
        rows = pq.read_table(told["blurred"]).to_pylist()
        names = {(row["clip_id"], row["timestamp_ns"]): row["picture"] for row in rows}
        pictures = {key: cv2.imread(str(tmp_path / clip / name)) for key, name in names.items()}
        assert_none_shown(pictures, originals, truth)


def test_frames_that_have_no_labels_are_not_drawn(dataset, tmp_path, capsys):
    shutil.copytree(dataset, tmp_path / "out")
    path = next((tmp_path / "out" / "frames").glob("*.parquet"))
    table = pq.read_table(path)
    place = table.schema.get_field_index("sample_index")
    numbers = [number if row < 2 else None for row, number in enumerate(table["sample_index"].to_pylist())]
    column = pa.array(numbers, table.schema.field(place).type)
    pq.write_table(table.set_column(place, table.schema.field(place), column), path)
    (clip,) = set(table["clip_id"].to_pylist())
    options = ("--clip", clip, "--to", str(tmp_path / "pictures"), "--json")
    assert main(["inspect", str(tmp_path / "out"), *options]) == 0
    assert len(json.loads(capsys.readouterr().out)["pictures"]) == 2


def test_the_picture_of_an_explained_row_shows_none(dataset, originals, truth, tmp_path, capsys):
    key = max(truth, key=lambda item: len(truth[item]))
    with connect(dataset) as data:
        (row,) = data.execute(
            "SELECT detection_id FROM detections WHERE clip_id = ? AND timestamp_ns = ? ORDER BY score LIMIT 1",
            key,
        ).fetchone()
    assert main(["explain", str(dataset), row, "--to", str(tmp_path / "why.png"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["blurred"]
    assert_none_shown({key: cv2.imread(str(tmp_path / "why.png"))}, originals, truth)


def test_frames_of_a_report_show_none(dataset, originals, truth, tmp_path, capsys):
    with connect(dataset) as data:
        cover = frame_cover(data, Blur(), originals)
        assert_none_shown({key: cover(*key, originals[key]) for key in truth}, originals, truth)
    pages = []
    for options in ((), ("--blur", "none")):
        page = tmp_path / f"report{len(options)}.html"
        assert main(["report", str(dataset), "-o", str(page), *options]) == 0
        found = re.findall(r"data:image/jpeg;base64,([A-Za-z0-9+/=]+)", page.read_text(encoding="utf-8"))
        pages.append([decoded(base64.b64decode(text)) for text in found])
    capsys.readouterr()
    assert len(pages[0]) == len(pages[1]) > 0
    # frames with neither people nor vehicles have nothing to blur
    assert np.mean([not np.array_equal(one, other) for one, other in zip(*pages, strict=True)]) > 0.9


@pytest.fixture(scope="module")
def ask(dataset):
    """Asks a viewer that blurs, as a browser that knows the key."""
    with viewer(dataset, "--blur", "faces,plates") as running:
        port = int(running.origin.rpartition(":")[2])

        def request(path):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
            connection.request("GET", path, headers={"Cookie": f"clipmill-{port}={running.key}"})
            answer = connection.getresponse()
            body = answer.read()
            connection.close()
            return answer.status, answer.headers, body

        yield request


def test_stills_of_the_viewer_are_of_labelled_frames_and_show_none(dataset, originals, truth, ask):
    with connect(dataset) as data:
        cover = frame_cover(data, Blur(), originals)
        covered = {key: cover(*key, originals[key]) for key in originals}
    assert_none_shown(covered, originals, truth)
    encoded = {
        key: cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
        for key, image in covered.items()
    }
    assert any(
        cv2.imencode(".jpg", originals[key], [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes() != encoded[key]
        for key in truth
    )
    for clip in {clip for clip, _ in originals}:
        times = sorted(time for one, time in originals if one == clip)
        # before the first, of every frame of the clip, and long after the last
        for asked in (*range(0, 1_000_000_000, 83_333_333), 30_000_000_000):
            status, headers, body = ask(f"/clips/{clip}/still?at_ns={asked}")
            shown = max([time for time in times if time <= asked], default=times[0])
            assert (status, headers["x-timestamp-ns"]) == (200, str(shown))
            assert body == encoded[clip, shown]


def test_a_viewer_that_blurs_hands_out_no_clip(originals, ask):
    clip = next(iter(originals))[0]
    status, _, body = ask(f"/clips/{clip}")
    assert status == 403
    assert "no clip is handed out where faces or plates are blurred" in json.loads(body)["error"]
    drive = json.loads(ask(f"/api/clips/{clip}")[2])["drive_id"]
    clips = json.loads(ask(f"/api/drives/{drive}")[2])["clips"]
    assert {one["plays"] for one in clips} == {"frames"}


def test_frames_without_labels_are_not_covered_but_refused(dataset, originals):
    clip, time_ns = next(iter(originals))
    with connect(dataset) as data, pytest.raises(ValueError, match="who is in it is not known"):
        frame_cover(data, Blur(), [(clip, time_ns + 1)])(clip, time_ns + 1, originals[clip, time_ns])


def test_pictures_are_refused_where_blur_is_required(dataset, tmp_path, capsys, monkeypatch):
    for blur in ("none", "faces", "plates"):
        options = ("--format", "yolo", "--blur", blur, "--require-blur")
        code, told = export(capsys, dataset, tmp_path / "yolo", *options)
        assert code == 2
        assert "--require-blur lets no picture leave" in told["error"]["message"]
    monkeypatch.setenv("CLIPMILL_REQUIRE_BLUR", "1")
    assert export(capsys, dataset, tmp_path / "yolo", "--format", "yolo", "--blur", "none")[0] == 2
    assert main(["inspect", str(dataset), "--clip", "0", "--blur", "faces", "--to", str(tmp_path / "p")]) == 2
    assert main(["explain", str(dataset), "1a2b3c4d", "--blur", "none", "--to", str(tmp_path / "w.png")]) == 2
    assert main(["report", str(dataset), "--blur", "none", "-o", str(tmp_path / "r.html")]) == 2
    assert main(["view", str(dataset), "--no-browser"]) == 2
    assert "CLIPMILL_REQUIRE_BLUR=1 lets no picture leave" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
    # labels alone show nobody
    assert export(capsys, dataset, tmp_path / "coco", "--format", "coco", "--blur", "none")[0] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--blur", "noses"), "'noses' is not among faces, plates and none"),
        (("--blur", "none", "--blur-model", "yunet"), "--blur none blurs nothing"),
        (("--blur-model", "demo"), "demo finds neither faces nor plates"),
        (("--no-blur-rules", "--blur", "none"), "--no-blur-rules says how to look"),
        (
            ("--no-blur-rules",),
            "asks for faces, and no --blur-model looks for them: name one (yunet), or leave --no-blur-rules out",
        ),
    ],
)
def test_bad_options_are_bad_usage(dataset, tmp_path, capsys, options, message):
    code, told = export(capsys, dataset, tmp_path / "yolo", "--format", "yolo", *options)
    assert code == 2
    assert message in told["error"]["message"]


def test_faces_and_plates_are_asked_for_with_loose_clips_only(tmp_path, capsys):
    assert main(["sample", str(tmp_path / "scenes"), "--private-parts"]) == 2
    assert "--private-parts goes with --clips" in capsys.readouterr().err
