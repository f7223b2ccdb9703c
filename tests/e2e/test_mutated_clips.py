"""Two hundred damaged clips: each is labelled or told as a failure, and its neighbours never notice."""

import json
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from mutated_clips import SAMPLE, mutants, seeds
from running import ROOT

CLIPS = 200
MAX_SECONDS_A_CLIP = 10
MAX_PEAK_MB = 1000

READ_ALL = """
import io, json, resource, sys, time
from mutated_clips import mutants
from transforms.clips.decoding import ClipDecoder
from transforms.clips.errors import ClipError
from transforms.clips.probing import probe
from transforms.clips.refs import ClipName, InputFile
from transforms.clips.sampling import Sampling

name = ClipName(source="generic", vehicle="", camera="unknown")
ends = {}
for mutant in mutants(int(sys.argv[1])):
    print(mutant.name, file=sys.stderr, flush=True)
    started = time.perf_counter()
    try:
        file = InputFile(uri="/in/" + mutant.name, root="/in", bytes=len(mutant.data))
        clip = probe(io.BytesIO(mutant.data), file, name, None)
        with ClipDecoder(io.BytesIO(mutant.data), clip) as decoder:
            for frame in decoder.frames(Sampling.parse("4")):
                assert frame.luma().size and frame.bgr(96, 64).shape == (64, 96, 3)
        end = "decoded" if decoder.fault is None else decoder.fault.fault
    except ClipError as error:
        end = error.fault
    ends[mutant.name] = [end, time.perf_counter() - started]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
json.dump({"ends": ends, "peak_mb": peak}, sys.stdout)
"""


def test_every_damaged_clip_decodes_or_has_a_fault(tmp_path):
    """In a process of its own: one that dies fails the test, and the last name on its standard error tells of which clip."""
    path = f"{ROOT}:{ROOT / 'tests' / 'support'}"
    done = subprocess.run(
        [sys.executable, "-P", "-c", READ_ALL, str(CLIPS)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        cwd=tmp_path,
        env={"PYTHONPATH": path, "PATH": ""},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout)
    assert len(found["ends"]) == CLIPS
    slow = {name: seconds for name, (_, seconds) in found["ends"].items() if seconds > MAX_SECONDS_A_CLIP}
    assert not slow
    assert found["peak_mb"] < MAX_PEAK_MB
    ends = [end for end, _ in found["ends"].values()]
    # the damage is of every kind: some clips come through, some are cut, some are no videos any more
    assert (
        min(ends.count(end) for end in ("decoded", "damaged_packets", "truncated", "no_moov", "not_a_video"))
        >= 5
    )
    assert all(type(end) is str for end in ends)


def rows_of(output: Path, table: str, uris: set[str]) -> pa.Table:
    """The rows of some clips, without what tells of the whole run."""
    clips = ds.dataset(output / "clips").to_table(columns=["clip_id", "uri"]).to_pylist()
    ids = [row["clip_id"] for row in clips if row["uri"] in uris]
    rows = ds.dataset(output / table).to_table(filter=ds.field("clip_id").isin(ids))
    return rows.sort_by([(name, "ascending") for name in rows.column_names if name.endswith(("_id", "_ns"))])


@pytest.mark.slow
def test_healthy_clips_are_labelled_as_if_they_were_alone(clipmill, tmp_path):
    healthy = [
        SAMPLE / "TeslaCam" / "RecentClips" / "2025-06-14_09-01-00-left_repeater.mp4",
        SAMPLE / "TeslaCam" / "RecentClips" / "2025-06-14_09-01-04-back.mp4",
        SAMPLE / "generic" / "variable_rate.mp4",
    ]
    clips = tmp_path / "clips"
    clips.mkdir()
    for number, clip in enumerate(healthy):
        shutil.copy(clip, clips / f"healthy_{number}.mp4")
    options = ("--model", "demo", "--fps", "1", "--max-failed-share", "1", "--json")
    alone = clipmill("label", clips, "-o", tmp_path / "alone", *options)
    assert alone.code == 0, alone.errors
    for mutant in mutants(CLIPS):
        (clips / mutant.name).write_bytes(mutant.data)

    started = time.perf_counter()
    done = clipmill("label", clips, "-o", tmp_path / "all", *options)
    assert time.perf_counter() - started < 240
    assert done.code == 0, done.errors
    assert "Traceback" not in done.errors
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024 < 2 * MAX_PEAK_MB

    counts = done.data["clips"]
    assert counts["found"] == CLIPS + 3
    assert counts["labelled"] + counts["failed"] + counts["duplicate"] == CLIPS + 3
    labelled = set(ds.dataset(tmp_path / "all" / "clips").to_table(columns=["uri"])["uri"].to_pylist())
    failed = set(ds.dataset(tmp_path / "all" / "failures").to_table(columns=["uri"])["uri"].to_pylist())
    assert {str(path) for path in clips.iterdir()} <= labelled | failed

    uris = {str(clips / f"healthy_{number}.mp4") for number in range(3)}
    for table in ("clips", "frames", "detections", "tracks", "coverage"):
        expected = rows_of(tmp_path / "alone", table, uris)
        assert expected.num_rows >= 3
        assert rows_of(tmp_path / "all", table, uris).equals(expected), table


def test_hostile_names_are_only_names(clipmill, tmp_path):
    clips = tmp_path / "clips"
    clips.mkdir()
    whole = seeds(frames=3)["drawn_mpeg4.mp4"]
    odd = [
        "[red]x[bold].mp4",
        "-rf.mp4",
        "'; DROP TABLE clips; --.mp4",
        "{0} %s $HOME `id`.mp4",
        "\u202egpj.mp4",
    ]
    for number, name in enumerate(odd):
        # other bytes behind the last box: no duplicates
        (clips / name).write_bytes(whole + bytes([0, 0, 0, 9, *b"free", number]))
    (clips / "line\nbreak\x1b[31m.mp4").write_bytes(whole)
    (clips / "broken\u202e[bold].mp4").write_bytes(b"no video")
    options = ("--model", "demo", "--fps", "1", "--max-failed-share", "1")
    shown = clipmill("label", clips, "-o", tmp_path / "out", *options)
    assert shown.code == 0, shown.errors
    assert "Traceback" not in shown.errors
    assert "\x1b" not in shown.output + shown.errors
    done = clipmill("label", clips, "-o", tmp_path / "out", *options, "--json")
    assert {Path(item["uri"]).name for item in done.data["failures"]} == {
        r"line\nbreak\x1b[31m.mp4",
        "broken\u202e[bold].mp4",
    }
    rows = ds.dataset(tmp_path / "out" / "clips").to_table(columns=["uri"])["uri"].to_pylist()
    assert {Path(uri).name for uri in rows} == set(odd)
    assert clipmill("verify", tmp_path / "out").code == 0
