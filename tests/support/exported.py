"""What the tables say and the clips show, for exports to be compared with."""

import contextlib
import io
import json
from collections import defaultdict
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from pipelines.cli import main
from transforms.clips.reopening import reopen
from transforms.storage import open_stream
from transforms.tables.queries import connect
from transforms.views.drawing import frames_at

MIN_SCORE = 0.3
CLOSE_PX = 0.002
"""Edges are written to a thousandth of a pixel, sizes are differences of two."""

Rows = list[dict[str, Any]]
Key = tuple[str, int]
"""A clip and a time in ns."""


def command(*arguments):
    """A command's exit code and what it printed, in this process."""
    output, errors = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
        code = main([*map(str, arguments), "--json"])
    return code, json.loads(output.getvalue()), errors.getvalue()


def as_taken(form: str) -> list[str]:
    """Options of an export with images that can be compared with their frames."""
    images = ["--with-images"] if form in {"coco", "mot", "kitti"} else []
    return ["--format", form, "--blur", "none", *images]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def edges(row: dict) -> tuple[float, ...]:
    return tuple(row[name] for name in ("x_min_px", "y_min_px", "x_max_px", "y_max_px"))


class Labelled:
    """A labelled data set, read without any of the exports' code, and its exports, each made once.

    Args:
        dataset: its folder.
        rate: frames that were labelled a second.
        exports: an empty folder for the exports.
    """

    def __init__(self, dataset: Path, rate: int, exports: Path) -> None:
        self.dataset = dataset
        self.rate = rate
        self._exports = exports
        self._made: dict[str, tuple[Path, dict]] = {}

    def made(self, form: str) -> tuple[Path, dict]:
        """The folder of an export with images, and what the command said."""
        if form not in self._made:
            folder = self._exports / form
            code, data, errors = command("export", self.dataset, *as_taken(form), "-o", folder)
            assert code == 0, (data, errors)
            assert errors == ""
            self._made[form] = folder, data
        return self._made[form]

    @cached_property
    def rows(self) -> Rows:
        """A row a box."""
        return self._asked(
            """SELECT d.*, f.width, f.height, f.pts, c.uri, c.camera, o.object_id
            FROM detections d JOIN frames f USING (frame_id) JOIN clips c ON c.clip_id = d.clip_id
            LEFT JOIN objects o USING (track_id) WHERE d.score >= CAST(0.3 AS FLOAT)"""
        )

    @cached_property
    def frames(self) -> dict[Key, dict[str, Any]]:
        """Labelled frames by clip and time."""
        every = self._asked(
            "SELECT f.*, c.uri, c.content_sha256 FROM frames f JOIN clips c USING (clip_id)"
            " WHERE sample_index IS NOT NULL AND NOT is_damaged ORDER BY clip_id, timestamp_ns"
        )
        return {(row["clip_id"], row["timestamp_ns"]): row for row in every}

    @cached_property
    def originals(self) -> dict[str, dict[int, np.ndarray]]:
        """Pictures of the labelled frames by clip and time, found by PTS alone."""
        found = {}
        for clip in {clip for clip, _ in self.frames}:
            times = {
                row["pts"]: row["timestamp_ns"] for row in self.frames.values() if row["clip_id"] == clip
            }
            row = self.frames[clip, min(times.values())]
            reference = reopen(row["uri"], row["content_sha256"], open_stream)
            pictures = frames_at(reference, set(times), open_stream)
            found[clip] = {times[pts]: image for pts, image in pictures}
        return found

    def number(self, row: dict) -> int:
        """Which sample of its clip a row is, from 0."""
        return (row["timestamp_ns"] + 1) * self.rate // 10**9

    def assert_boxes(self, found: dict[Key, list[tuple]], within_px: float = CLOSE_PX) -> None:
        """Boxes by clip and time: (category, four edges); every one has its row and the other way round."""
        wanted = defaultdict(list)
        for row in self.rows:
            wanted[row["clip_id"], row["timestamp_ns"]].append((row["category"], *edges(row)))
        assert set(found) == set(self.frames)
        for key in self.frames:
            left = list(found[key])
            for category, *box in wanted[key]:
                same = [
                    one for one in left if one[0] == category and one[1:] == pytest.approx(box, abs=within_px)
                ]
                assert same, (key, category, box)
                left.remove(same[0])
            assert not left, key

    def assert_pictures(self, pictures: dict[Key, bytes]) -> None:
        """Each image shows its own frame, and neither of those beside it."""
        assert set(pictures) == set(self.frames)
        for (clip, time_ns), content in pictures.items():
            picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
            true = self.originals[clip]
            times = sorted(true)
            place = times.index(time_ns)
            beside = times[max(0, place - 1) : place] + times[place + 1 : place + 2]
            own = cv2.norm(picture, true[time_ns], cv2.NORM_L1) / picture.size
            assert own < 3
            for other in beside:
                is_same = np.array_equal(true[other], true[time_ns])
                assert is_same or cv2.norm(picture, true[other], cv2.NORM_L1) / picture.size > own

    def _asked(self, query: str) -> Rows:
        with connect(self.dataset) as data:
            found = data.execute(query)
            names = [column[0] for column in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
