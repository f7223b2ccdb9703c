"""Which frames are taken."""

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Final, Literal

from transforms.clips.timeline import NS, round_fraction

__all__ = ["Sampler", "Sampling"]

_RATE: Final = re.compile(r"\d{1,6}(\.\d{0,6})?|\.\d{1,6}|\d{1,9}/\d{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Sampling:
    """A rule of sampling.

    Attributes:
        kind: `fps`, `all` or `keyframes`.
        fps: samples a second, for `fps` alone.
    """

    kind: Literal["fps", "all", "keyframes"]
    fps: Fraction | None = None

    @classmethod
    def parse(cls, text: str) -> "Sampling":
        """Reads a rule as the command line has it.

        Args:
            text: a rate above 0 (`5`, `2.5`, `30000/1001`), `all` or `keyframes`.

        Raises:
            ValueError: if it is neither.

        >>> Sampling.parse("2.5").fps
        Fraction(5, 2)
        """
        if text == "all":
            return cls("all")
        if text == "keyframes":
            return cls("keyframes")
        # the pattern bounds the digits: "1e999999999" would be a number of a billion of them
        fps = Fraction(text) if _RATE.fullmatch(text) and not re.search(r"/0+$", text) else Fraction(0)
        if fps == 0:
            raise ValueError(
                f"{text!r} is no frame rate: give a number above 0 (such as 5 or 2.5), all or keyframes"
            )
        return cls("fps", fps)

    def due_ns(self, index: int) -> int:
        """The time from which sample `index` of a rate is due.

        >>> Sampling.parse("3").due_ns(2)
        666666667
        """
        assert self.fps is not None
        return round_fraction(index * NS * self.fps.denominator, self.fps.numerator)

    def index_at(self, time_ns: int) -> int:
        """The last sample of a rate that is due at `time_ns`; -1 before the first.

        >>> Sampling.parse("5").index_at(399_999_999)
        1
        """
        assert self.fps is not None
        index = time_ns * self.fps.numerator // (NS * self.fps.denominator)
        # rounding moves a due time by half a nanosecond at most: one step either way settles it
        while self.due_ns(index + 1) <= time_ns:
            index += 1
        while index >= 0 and self.due_ns(index) > time_ns:
            index -= 1
        return max(index, -1)


@dataclass(slots=True)
class Sampler:
    """Goes through a clip's shown frames in the decoder's order and says which are taken.

    Attributes:
        sampling: the rule.
    """

    sampling: Sampling
    _highest_ns: int | None = field(default=None, init=False)
    _last_index: int = field(default=-1, init=False)
    _taken: int = field(default=0, init=False)

    def take(self, time_ns: int, *, is_keyframe: bool, in_window: bool = True) -> tuple[bool, int | None]:
        """Decides about the next shown frame.

        Args:
            time_ns: the frame's time since the clip's first shown frame.
            is_keyframe: whether it is one.
            in_window: False for frames that were only decoded to get to the window.

        Returns:
            Whether the frame is kept, and its sample index. A kept frame without an index does not advance
            the clip's time, and is not labelled. The index counts due samples for a rate (a frame that is
            the first for several takes the last) and the frames taken in the window otherwise.
        """
        advances = self._highest_ns is None or time_ns > self._highest_ns
        if advances:
            self._highest_ns = time_ns
        if self.sampling.kind == "fps":
            return self._take_due(time_ns, advances=advances)
        if not in_window or (self.sampling.kind == "keyframes" and not is_keyframe):
            return False, None
        if self.sampling.kind == "keyframes" and not advances:
            return True, None
        self._taken += 1
        return True, self._taken - 1

    def _take_due(self, time_ns: int, *, advances: bool) -> tuple[bool, int | None]:
        if not advances:
            return True, None
        index = self.sampling.index_at(time_ns)
        if index <= self._last_index:
            return False, None
        self._last_index = index
        return True, index
