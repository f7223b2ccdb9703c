"""Decoding a clip once: the sampled frames of a window, their telemetry, and what was damaged."""

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Final, Self

import numpy as np
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from transforms.clips import sei
from transforms.clips.containers import RAW_FORMATS, triage
from transforms.clips.errors import ClipError, unreadable
from transforms.clips.pictures import Pictures
from transforms.clips.probing import nal_length_size, raw_rate
from transforms.clips.reading import DecodedFrame, VideoReader
from transforms.clips.refs import ClipRef
from transforms.clips.sampling import Sampler, Sampling
from transforms.clips.streams import QuietReader
from transforms.clips.timeline import last_pts_before, timestamp_ns

__all__ = ["ClipDecoder", "SampledFrame", "Telemetry"]

Telemetry = tuple[int, int, sei.SeiMetadata]
"""PTS, time since the clip's first shown frame in ns, and the message of a frame."""

_LONGEST_GROUP: Final = 1000
"""Packets that are held while groups are skipped; streams with longer groups are decoded from there."""


@dataclass(frozen=True, slots=True)
class SampledFrame:
    """A frame that sampling took. Its pictures are made when they are asked for.

    Attributes:
        pts: the container's PTS.
        timestamp_ns: time since the clip's first shown frame.
        sample_index: see `Sampler.take`; None where the frame does not advance the clip's time.
        is_keyframe: whether decoding can start from it.
        is_damaged: whether it or what it depends on is damaged; not to be labelled.
        gop_start_pts: PTS of the keyframe that decoding starts from, None where there is none before it.
    """

    pts: int
    timestamp_ns: int
    sample_index: int | None
    is_keyframe: bool
    is_damaged: bool
    gop_start_pts: int | None
    _decoded: DecodedFrame
    _pictures: Pictures

    def luma(self) -> NDArray[np.uint8]:
        """The upright luma picture, uint8[height, width], long side at most 320 px."""
        return self._pictures.luma(self._decoded.frame)

    def bgr(self, width: int, height: int) -> NDArray[np.uint8]:
        """The upright picture scaled to a size, uint8[height, width, 3], contiguous.

        Args:
            width: in pixels.
            height: in pixels.
        """
        return self._pictures.bgr(self._decoded.frame, width, height)

    def rgb(self, width: int, height: int) -> NDArray[np.uint8]:
        """The same with red first."""
        return self._pictures.rgb(self._decoded.frame, width, height)


class ClipDecoder:
    """Decodes a window of a clip, once and in one thread.

    Attributes:
        telemetry: messages of the window's frames, by time; whole after `frames` has ended.
        shown_frames: frames in the window.
        damaged_frames: damaged ones among them.
        fault: what is wrong with the window, or None; known after `frames` has ended.
    """

    def __init__(self, stream: BinaryIO, clip: ClipRef) -> None:
        """Makes a decoder.

        Args:
            stream: the clip's file; it must be able to seek, and stays the caller's to close.
            clip: what probing found.
        """
        self._stream = stream
        self._clip = clip
        self._video: VideoReader | None = None
        self._pictures = Pictures(clip.rotation_deg)
        self.telemetry: list[Telemetry] = []
        self.shown_frames = 0
        self.damaged_frames = 0
        self.fault: ClipError | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def frames(self, sampling: Sampling, start_ns: int = 0, stop_ns: int = 2**62) -> Iterator[SampledFrame]:
        """Goes through a half-open window of the clip's own time.

        Args:
            sampling: which frames to take.
            start_ns: begin of the window.
            stop_ns: its end, not included; decoding stops at the first frame that is not before it.

        Yields:
            Sampled frames in the decoder's order; a clip's first window also has the frames with times
            below 0, which files with odd time stamps may have.

        Raises:
            ClipError: if nothing can be read at all; what goes wrong later is told by `fault`.
        """
        self.telemetry.clear()
        self.shown_frames = self.damaged_frames = 0
        self.fault = None
        window = _Window(-(2**62) if start_ns <= 0 else start_ns, stop_ns)
        sampler = Sampler(sampling)
        refused = 0
        ended = True
        for decoded in self._decoded(window, only_keyframes=sampling.kind == "keyframes"):
            time_ns = self._time_ns(decoded.pts)
            if time_ns >= window.stop_ns:
                ended = False
                break
            in_window = time_ns >= window.start_ns
            is_kept, index = sampler.take(
                time_ns, is_keyframe=decoded.origin.is_keyframe, in_window=in_window
            )
            if not in_window:
                refused = self._reader.refused
                continue
            self.shown_frames += 1
            self.damaged_frames += decoded.is_damaged
            if is_kept:
                yield SampledFrame(
                    pts=decoded.pts,
                    timestamp_ns=time_ns,
                    sample_index=index,
                    is_keyframe=decoded.origin.is_keyframe,
                    is_damaged=decoded.is_damaged,
                    gop_start_pts=decoded.origin.gop_start_pts,
                    _decoded=decoded,
                    _pictures=self._pictures,
                )
        self.telemetry.sort(key=lambda row: row[:2])
        self.fault = self._judge(self._reader.refused - refused, ended=ended)
        self._close()

    @property
    def _reader(self) -> VideoReader:
        assert self._video is not None
        return self._video

    def _decoded(self, window: "_Window", *, only_keyframes: bool) -> Iterator[DecodedFrame]:
        """Frames from the keyframe before the window on, or from the clip's start."""
        self._open()
        if window.start_ns > 0 and self._facts.format not in RAW_FORMATS:
            # one frame before the window must be seen, for sampling to know which frame is the first that is due
            wanted = last_pts_before(window.start_ns, self._clip.first_pts, self._clip.time_base)
            found = self._reader.seek(wanted)
            frames = self._run(window, only_keyframes=only_keyframes)
            first = next(frames, None) if found else None
            if first is not None and first.pts <= wanted and first.origin.is_keyframe:
                yield first
                yield from frames
                return
            self._open()
            yield from self._run(window, only_keyframes=only_keyframes, skipped_to=wanted)
            return
        yield from self._run(window, only_keyframes=only_keyframes)

    def _run(
        self, window: "_Window", *, only_keyframes: bool, skipped_to: int | None = None
    ) -> Iterator[DecodedFrame]:
        self.telemetry.clear()
        video = self._reader
        context = video.stream.codec_context
        length_size = nal_length_size(self._clip.codec, context.extradata)
        if only_keyframes:
            context.skip_frame = "NONKEY"
        reads_telemetry = length_size is not None and self._clip.telemetry_rows > 0
        for packet, pts in video.packets() if skipped_to is None else _skip_groups(video, skipped_to):
            if reads_telemetry and length_size is not None and not packet.is_discard:
                self._read_telemetry(packet, pts, length_size, window)
            if packet.is_keyframe or not only_keyframes:
                yield from video.decode(packet, pts)
        yield from video.flush()

    def _read_telemetry(
        self, packet: "Packet[VideoStream]", pts: int, length_size: int, window: "_Window"
    ) -> None:
        time_ns = self._time_ns(pts)
        if window.start_ns <= time_ns < window.stop_ns:
            message = sei.parse(memoryview(packet), length_size)
            if message is not None:
                self.telemetry.append((pts, time_ns, message))

    def _judge(self, refused: int, *, ended: bool) -> ClipError | None:
        if self._bytes.error is not None:
            return unreadable(self._bytes.error).at(self._clip.uri)
        good = self.shown_frames - self.damaged_frames
        counts = f"{good} good and {self.damaged_frames} damaged frames, {refused} packets refused"
        missing = self._facts.missing_bytes
        if ended and missing:
            fault = ClipError("truncated", f"cut off, {missing} bytes are missing; {counts}: copy it again")
        elif self.damaged_frames or refused:
            fault = ClipError("damaged_packets", f"damaged: {counts}")
        else:
            return None
        return fault.at(self._clip.uri)

    def _time_ns(self, pts: int) -> int:
        return timestamp_ns(pts, self._clip.first_pts, self._clip.time_base)

    def _open(self) -> None:
        self._close()
        try:
            self._facts = triage(self._stream, self._stream.seek(0, 2))
            self._bytes = QuietReader(self._stream)
            self._video = VideoReader(self._bytes, self._facts, raw_rate(self._clip.uri))
        except ClipError as error:
            raise error.at(self._clip.uri) from None
        except OSError as error:
            raise unreadable(error).at(self._clip.uri) from error

    def _close(self) -> None:
        if self._video is not None:
            self._video.__exit__(None, None, None)
            self._video = None


def _skip_groups(video: VideoReader, wanted: int) -> "Iterator[tuple[Packet[VideoStream], int]]":
    """The packets from the last keyframe at or before a PTS on, for containers that cannot seek."""
    group: list[tuple[Packet[VideoStream], int]] = []
    packets = video.packets()
    for packet, pts in packets:
        if packet.is_keyframe and pts <= wanted:
            group.clear()
        group.append((packet, pts))
        if pts > wanted or len(group) > _LONGEST_GROUP:
            break
    yield from group
    yield from packets


@dataclass(frozen=True, slots=True)
class _Window:
    start_ns: int
    stop_ns: int
