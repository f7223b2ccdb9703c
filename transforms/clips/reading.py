"""One pass over a clip: an allowed demuxer, one video stream, one thread, and a time for every picture."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from types import TracebackType
from typing import Final, Self

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from transforms.clips.containers import ORDERED_FORMATS, RAW_FORMATS, ContainerFacts
from transforms.clips.damage import DamageLog, Origin
from transforms.clips.errors import ClipError
from transforms.clips.mp4_index import MAX_STREAMS
from transforms.clips.opening import choose_stream, open_container
from transforms.clips.streams import QuietReader

__all__ = ["DecodedFrame", "VideoReader"]

_MAX_DEMUX_ERRORS: Final = 16
_DEFAULT_RAW_RATE: Final = Fraction(25)
_MAX_RATE: Final = 1000
_MAX_HELD_TICKS: Final = 32


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """A shown frame.

    Attributes:
        pts: its PTS in ticks.
        frame: the picture.
        origin: the packet it comes from.
        is_damaged: whether it or what it depends on is damaged.
    """

    pts: int
    frame: VideoFrame
    origin: Origin
    is_damaged: bool


class VideoReader:
    """The first video stream of a file.

    Attributes:
        stream: the stream.
        time_base: seconds a tick lasts, numerator and denominator.
        refused: packets that the demuxer or the decoder refused.
    """

    def __init__(self, reader: QuietReader, facts: ContainerFacts, raw_rate: Fraction | None = None) -> None:
        """Opens the stream.

        Args:
            reader: the file.
            facts: what triage found.
            raw_rate: pictures a second of a bare stream, where its name tells; else its header's.

        Raises:
            ClipError: not_a_video, no_video_stream, unsupported_codec, too_large, truncated or unreadable.
        """
        self._facts = facts
        self._container = open_container(reader, facts)
        try:
            reader.check()
            self.stream = choose_stream(self._container)
        except ClipError:
            self._container.close()
            raise
        self._is_raw = facts.format in RAW_FORMATS
        self._is_ordered = facts.format in ORDERED_FORMATS
        tick = 1 / (raw_rate or _rate(self.stream)) if self._is_raw else self.stream.time_base
        assert tick is not None
        self.time_base = (tick.numerator, tick.denominator)
        self.refused = 0
        self._restart()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def packets(self) -> Iterator[tuple["Packet[VideoStream]", int]]:
        """The packets with data and their PTS; an error of the demuxer ends them only after a few tries."""
        errors = 0
        for _ in range(_MAX_DEMUX_ERRORS + MAX_STREAMS):
            try:
                for packet in self._container.demux(self.stream):
                    if packet.size:
                        self._last_tick = self._tick(packet)
                        yield packet, self._last_tick
            except av.error.FFmpegError:
                self.refused += 1
                errors += 1
                if errors == _MAX_DEMUX_ERRORS:
                    return
            except IndexError:
                # a stream that begins in mid-file, as damage in a transport stream may feign: PyAV has no place
                # for its packets and stumbles; called again, it knows of the stream and leaves it out
                continue
            else:
                return

    def duration(self, packet: "Packet[VideoStream]") -> int:
        """How many ticks the container gives a picture; 0 where it does not say."""
        return 1 if self._is_raw else packet.duration or 0

    def decode(self, packet: "Packet[VideoStream]", pts: int) -> Iterator[DecodedFrame]:
        """Decodes a packet.

        Args:
            packet: the packet.
            pts: its PTS, as `packets` gave it.

        Yields:
            The frames that are settled now, in the decoder's order.
        """
        is_shown = not packet.is_discard
        origin = self._log.enter(
            pts, is_keyframe=packet.is_keyframe, is_corrupt=packet.is_corrupt, is_shown=is_shown
        )
        if is_shown and self._is_ordered:
            self._held_ticks.append(pts)
        packet.opaque = origin
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            self.refused += 1
            self._log.fail(origin)
            if pts in self._held_ticks:
                self._held_ticks.remove(pts)
            frames = []
        yield from self._settle(frames, origin)

    def flush(self) -> Iterator[DecodedFrame]:
        """The frames that are still in the decoder."""
        try:
            frames = self.stream.decode(None)
        except av.error.FFmpegError:
            self.refused += 1
            frames = []
        yield from self._settle(frames, None)

    def seek(self, pts: int) -> bool:
        """Goes to the last keyframe at or before a PTS.

        Returns:
            False where the container cannot; the position is undefined then.
        """
        try:
            self._container.seek(pts, stream=self.stream)
        except av.error.FFmpegError:
            return False
        self._restart()
        return True

    def _restart(self) -> None:
        self._log = DamageLog()
        self._held_ticks: deque[int] = deque()
        self._last_tick = -1
        self._any_shown = False

    def _tick(self, packet: "Packet[VideoStream]") -> int:
        if self._is_raw:
            return self._last_tick + 1
        tick = packet.dts if self._is_ordered or packet.pts is None else packet.pts
        return self._last_tick + 1 if tick is None else tick

    def _settle(self, frames: list[VideoFrame], last: Origin | None) -> Iterator[DecodedFrame]:
        for frame in frames:
            origin = frame.opaque if isinstance(frame.opaque, Origin) else last
            if origin is not None:
                self._log.leave(frame, origin)
        for frame, origin, is_damaged in self._log.settled(at_end=last is None):
            pts = self._pts(frame, origin)
            # what is shown before the first keyframe cannot be whole: a recording that begins in mid-stream
            if self._any_shown or origin.is_keyframe or not frame.is_corrupt:
                self._any_shown = True
                yield DecodedFrame(pts, frame, origin, is_damaged)

    def _pts(self, frame: VideoFrame, origin: Origin) -> int:
        if not self._is_ordered:
            return origin.pts if frame.pts is None else frame.pts
        # without presentation times the pictures take the packets' times in the order they are shown
        while len(self._held_ticks) > _MAX_HELD_TICKS:
            self._held_ticks.popleft()
        return self._held_ticks.popleft() if self._held_ticks else origin.pts


def _rate(stream: VideoStream) -> Fraction:
    rate = stream.guessed_rate or stream.average_rate or _DEFAULT_RAW_RATE
    return rate if 1 <= rate <= _MAX_RATE else _DEFAULT_RAW_RATE
