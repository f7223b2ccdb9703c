"""Making an export: which clips, their frames with or without images, and what is told of it."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from models.errors import ModelError
from models.sessions import Detector
from transforms.clips.errors import ClipError
from transforms.clips.refs import ClipRef
from transforms.clips.reopening import ClipChangedError, reopen
from transforms.exports.blurring import ClipBlur
from transforms.exports.folder import AUDIT, RECORD, placed
from transforms.exports.formats import FORMATS
from transforms.exports.frames import Clip, ClipFrames, ExportError, Frame, Span
from transforms.exports.labelled_set import LabelledSet
from transforms.exports.pictures import OpenStream, pictured
from transforms.exports.record import ClipRecord, Exported, SkippedClip, encode_record
from transforms.exports.settings import ExportSettings
from transforms.labels.privacy.settings import load_networks
from transforms.tables.blurred import BlurredRows

Progress = Callable[[float], None]


def export(
    labels: LabelledSet,
    dataset: Path,
    output: Path,
    settings: ExportSettings,
    open_stream: OpenStream,
    progress: Progress = lambda _: None,
) -> Exported:
    """Writes an export; what stood under its name is replaced once all is written.

    Args:
        labels: the data set, opened.
        dataset: its folder, absolute.
        output: folder of the export, absolute: absent, empty or an earlier export.
        settings: what is wanted.
        open_stream: opens a clip's URI.
        progress: is told the share of the clips that are done.

    Raises:
        ExportError: nothing is left to export, another export is being written there, the data set has changed, or a
            network that was to look for faces or plates cannot be had.
        UnfinishedError: a run has begun meanwhile.
        OSError: a file cannot be read or written.
    """
    form = FORMATS[settings.form]
    clips = labels.chosen(settings)
    if not clips:
        raise ExportError(f"{dataset}: no labelled frame of these clips and cameras")
    try:
        networks = load_networks(settings.blur) if settings.images else []
    except ModelError as error:
        raise ExportError(str(error)) from error
    with placed(output) as folder:
        with ExitStack() as files:
            audit = None
            if settings.images and settings.blur.kinds:
                audit = files.enter_context(BlurredRows(files.enter_context(folder.create(AUDIT))))
            work = _Work(labels, settings, open_stream, progress, networks, audit)
            form.write(folder, work.through(clips), settings.suffix)
        regions = 0 if audit is None else audit.count
        exported = Exported(clips=work.clips, skipped=work.skipped, blurred=regions)
        if not exported.clips:
            first = exported.skipped[0]
            raise ExportError(f"none of {len(clips)} clips can be exported: {first.uri}: {first.reason}")
        if not labels.is_unchanged():
            raise ExportError(f"{dataset}: a run has changed the data set meanwhile; export again")
        record = encode_record(str(dataset), labels.manifest_sha256, settings, exported, form.conventions)
        folder.write(RECORD, record)
    return exported


def absolute(path: Path) -> Path:
    """A path from the root, links left as they are."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the user's links


class _Work:
    """Goes through the clips of an export and keeps account.

    Attributes:
        clips: those that have been gone through.
        skipped: those of which nothing, or not every frame, could be given.
    """

    def __init__(
        self,
        labels: LabelledSet,
        settings: ExportSettings,
        open_stream: OpenStream,
        progress: Progress,
        networks: Sequence[Detector],
        audit: BlurredRows | None,
    ) -> None:
        self._labels = labels
        self._settings = settings
        self._open = open_stream
        self._progress = progress
        self._networks = networks
        self._audit = audit
        self.clips: list[ClipRecord] = []
        self.skipped: list[SkippedClip] = []

    def through(self, clips: Sequence[Clip]) -> Iterator[ClipFrames]:
        """Every clip that can be exported, and its frames."""
        for done, clip in enumerate(clips):
            self._progress(done / len(clips))
            reference = None
            if self._settings.images:
                reference = self._reopened(clip)
                if reference is None:
                    continue
            yield ClipFrames(clip, self._frames(clip, reference), self._labels.telemetry(clip))
        self._progress(1.0)

    def _reopened(self, clip: Clip) -> ClipRef | None:
        """The clip as it is now, None where it is not there or another one: a wrong picture is worse than none."""
        try:
            if clip.clip_id not in self._labels.dangerous:
                return reopen(clip.uri, clip.content_sha256, self._open)
            reason = "a minute of it made the decoder crash or hang while it was labelled"
        except ClipChangedError:
            reason = "its bytes are no longer those that were labelled; label again"
        except ClipError as error:
            reason = f"cannot be read ({error})"
        except (OSError, ValueError) as error:
            reason = f"cannot be opened ({getattr(error, 'strerror', None) or error})"
        self.skipped.append(SkippedClip(clip_id=clip.clip_id, uri=clip.uri, frames=None, reason=reason))
        return None

    def _frames(self, clip: Clip, reference: ClipRef | None) -> Iterator[Frame]:
        labelled = _Counted(self._labels.frames(clip, self._settings))
        span, boxes = Span(), 0
        reason = "not found in the clip any more"
        try:
            for frame in labelled if reference is None else self._pictured(clip, reference, labelled):
                span.add(frame)
                boxes += len(frame.boxes)
                yield frame
        except ClipError as error:
            reason = f"cannot be decoded ({error})"
        lost = labelled.rest() - span.frames
        if lost:
            self.skipped.append(SkippedClip(clip_id=clip.clip_id, uri=clip.uri, frames=lost, reason=reason))
        self.clips.append(
            ClipRecord(
                clip_id=clip.clip_id,
                camera=clip.camera,
                uri=clip.uri,
                frames=span.frames,
                boxes=boxes,
                rate=span.rate(clip),
            )
        )

    def _pictured(self, clip: Clip, reference: ClipRef, frames: Iterator[Frame]) -> Iterator[Frame]:
        cover = None
        if self._audit is not None:
            cover = ClipBlur(
                self._labels, self._settings, self._networks, self._audit, clip, reference, self._open
            ).cover
        return pictured(frames, reference, self._open, self._settings.image_kind, cover)


class _Counted:
    """Frames, counted as they are taken."""

    def __init__(self, frames: Iterator[Frame]) -> None:
        self._frames = frames
        self._count = 0

    def __iter__(self) -> "_Counted":
        return self

    def __next__(self) -> Frame:
        frame = next(self._frames)
        self._count += 1
        return frame

    def rest(self) -> int:
        """How many there are in all; those that are left are thrown away."""
        return self._count + sum(1 for _ in self._frames)
