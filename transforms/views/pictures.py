"""Pictures of a clip's labels."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from transforms.clips.reopening import ClipChangedError, reopen
from transforms.labels.privacy.auditing import audit_rows
from transforms.labels.privacy.covering import blurred
from transforms.labels.privacy.settings import Blur
from transforms.tables.blurred import BlurredRows
from transforms.tables.queries import connect
from transforms.views.blurring import clip_regions
from transforms.views.drawing import DrawnBox, Image, draw, frames_at, write_png


def draw_clip(
    root: Path, clip: str, folder: Path, *, frames: int, min_score: float, blur: Blur
) -> tuple[list[Path], Path | None]:
    """Draws the labels of one clip on frames spread over its length.

    Args:
        root: the data set.
        clip: the clip's id or a part of its path that only one clip has.
        folder: where pictures go.
        frames: how many, at most.
        min_score: boxes below it are left out.
        blur: what is blurred in the frames before anything is drawn.

    Returns:
        The pictures' paths, named after the clip and the frame's time, and that of the audit of what was blurred; None
        where nothing was to be.

    Raises:
        LookupError: no clip or several fit, or the clip's bytes have changed.
        ClipError: the clip cannot be read any more.
        ModelError: a network that looks for faces or plates cannot be had.
    """
    with connect(root) as data:
        found = data.execute(
            "SELECT clip_id, uri, content_sha256 FROM clips"
            " WHERE duplicate_of IS NULL AND (clip_id = ? OR contains(uri, ?)) ORDER BY uri",
            [clip, clip],
        ).fetchall()
        if len(found) != 1:
            names = ", ".join(row[1] for row in found[:5])
            raise LookupError(f"{len(found)} clips fit {clip!r}{': ' + names if names else ''}")
        clip_id, uri, digest = found[0]
        stamps = data.execute(
            # where nothing was labelled there is nothing to draw, and nobody knows whose face is there
            "SELECT pts, timestamp_ns, frame_id FROM frames"
            " WHERE clip_id = ? AND sample_index IS NOT NULL AND NOT is_damaged ORDER BY timestamp_ns",
            [clip_id],
        ).fetchall()
        step = max(1, len(stamps) // max(1, frames))
        chosen = {pts: (stamp, frame_id) for pts, stamp, frame_id in stamps[step // 2 :: step][:frames]}
        boxes = {pts: _boxes(data, frame_id, min_score) for pts, (_, frame_id) in chosen.items()}
        try:
            reference = reopen(uri, digest, _open)
        except ClipChangedError as error:
            raise LookupError(str(error)) from error

        def shown() -> Iterator[tuple[int, Image]]:
            for pts, image in frames_at(reference, set(chosen), _open):
                yield chosen[pts][0], image

        regions = clip_regions(data, clip_id, blur, shown)
    written, audit = [], []
    for pts, image in frames_at(reference, set(chosen), _open):
        time_ns = chosen[pts][0]
        path = folder / f"{Path(uri).stem}-{time_ns // 1_000_000:08d}ms.png"
        private = regions.at(time_ns)
        write_png(path, draw(blurred(image, private), boxes[pts]))
        audit += audit_rows(path.name, clip_id, time_ns, private)
        written.append(path)
    told = folder / f"{Path(uri).stem}-blurred.parquet"
    if not blur.kinds or not written:
        told.unlink(missing_ok=True)
        return written, None
    with told.open("wb") as sink, BlurredRows(sink) as rows:
        rows.add(audit)
    return written, told


def _boxes(data: Any, frame_id: str, min_score: float) -> list[DrawnBox]:
    rows = data.execute(
        "SELECT x_min_px, y_min_px, x_max_px, y_max_px, category, score, coalesce(object_id, ''), track_id"
        " FROM detections LEFT JOIN objects USING (track_id)"
        " WHERE frame_id = ? AND score >= ? ORDER BY score",
        [frame_id, min_score],
    ).fetchall()
    return [
        DrawnBox(row[:4], f"{row[4]} {row[5]:.2f}{' #' + row[6][:4] if row[6] else ''}", row[6] or row[4])
        for row in rows
    ]


def _open(uri: str) -> BinaryIO:
    return Path(uri).open("rb")
