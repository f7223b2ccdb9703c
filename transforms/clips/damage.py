"""Which frames are damaged: a fault lasts until the next keyframe."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from av.video.frame import VideoFrame

__all__ = ["DamageLog", "Origin"]

_DEEPEST_REORDERING: Final = 16
"""No codec holds back more pictures than this."""


@dataclass(frozen=True, slots=True, eq=False)
class Origin:
    """The packet a frame comes from.

    Attributes:
        order: the packet's number in decoding order.
        is_keyframe: whether decoding can start from it.
        gop: how many keyframes have come up to it; packets of one number depend on one keyframe.
        gop_start_pts: PTS of that keyframe, None before the first.
        pts: the packet's PTS.
    """

    order: int
    is_keyframe: bool
    gop: int
    gop_start_pts: int | None
    pts: int


class DamageLog:
    """Follows packets into the decoder and frames out of it.

    A frame is told of only when all that was decoded before it has come out or failed: with B-frames, the
    picture others depend on is shown after them, and only then tells that it is damaged.
    """

    def __init__(self) -> None:
        self._packets = 0
        self._gop = 0
        self._gop_start_pts: int | None = None
        self._inside: deque[int] = deque()
        self._waiting: deque[tuple[VideoFrame, Origin]] = deque()
        self._first_bad: dict[int, int] = {}

    def enter(self, pts: int, *, is_keyframe: bool, is_corrupt: bool, is_shown: bool) -> Origin:
        """A packet goes into the decoder.

        Args:
            pts: its PTS.
            is_keyframe: whether decoding can start from it.
            is_corrupt: whether the container says that it is damaged.
            is_shown: False for packets that an edit list hides.

        Returns:
            What is to come out with the packet's frame.
        """
        if is_keyframe:
            self._gop += 1
            self._gop_start_pts = pts
            # older groups have no frames inside any more, however short each is
            self._first_bad = {
                gop: order for gop, order in self._first_bad.items() if gop >= self._gop - _DEEPEST_REORDERING
            }
        origin = Origin(self._packets, is_keyframe, self._gop, self._gop_start_pts, pts)
        self._packets += 1
        if is_corrupt:
            self._mark(origin)
        if is_shown:
            self._inside.append(origin.order)
        return origin

    def fail(self, origin: Origin) -> None:
        """The decoder refused a packet: it and what follows in its group are damaged."""
        self._mark(origin)
        self._forget(origin)

    def leave(self, frame: VideoFrame, origin: Origin) -> None:
        """A frame came out of the decoder."""
        if frame.is_corrupt:
            self._mark(origin)
        self._forget(origin)
        self._waiting.append((frame, origin))

    def settled(self, *, at_end: bool = False) -> Iterator[tuple[VideoFrame, Origin, bool]]:
        """The frames about which all is known, in the decoder's order.

        Args:
            at_end: nothing more will come out.

        Yields:
            Frame, packet, and whether the frame is damaged.
        """
        while self._waiting:
            frame, origin = self._waiting[0]
            if not at_end and self._inside and self._inside[0] < origin.order:
                if len(self._waiting) <= _DEEPEST_REORDERING:
                    return
                self._inside.popleft()  # the decoder dropped it without a word
                continue
            self._waiting.popleft()
            yield frame, origin, self._is_damaged(origin)

    def _mark(self, origin: Origin) -> None:
        self._first_bad[origin.gop] = min(origin.order, self._first_bad.get(origin.gop, origin.order))

    def _forget(self, origin: Origin) -> None:
        if origin.order in self._inside:
            self._inside.remove(origin.order)

    def _is_damaged(self, origin: Origin) -> bool:
        if self._first_bad.get(origin.gop, origin.order + 1) <= origin.order:
            return True
        # pictures shown before their keyframe may also depend on the group before
        leads = origin.gop_start_pts is not None and origin.pts < origin.gop_start_pts
        return leads and origin.gop - 1 in self._first_bad
