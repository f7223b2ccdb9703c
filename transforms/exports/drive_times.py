"""When the frames of a drive's clips were taken, counted through from its first clip: all cameras by one clock."""

from dataclasses import dataclass, field

from transforms.exports.frames import Clip, Frame


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """A frame and its place in the drive.

    Attributes:
        frame: the frame.
        time_ns: time since the drive's first clip began.
        number: its number in the drive, from 0, the same for the cameras of one moment.
    """

    frame: Frame
    time_ns: int
    number: int


@dataclass(slots=True)
class DriveTimes:
    """Time and number of the frames of one drive, whose clips come minute by minute, the cameras of a minute one after another.

    A camera that comes again begins the next minute. Where no time of day is known, a minute begins where the one before
    ended; numbers go on so in any case.

    Attributes:
        clip_ns: when the clip began that was begun last, since the drive's first one.
    """

    clip_ns: int = 0

    _origin_utc_ns: int | None = None
    _minute_ns: int = 0
    _minute_number: int = 0
    _next_ns: int = 0
    _next_number: int = 0
    _cameras: set[str] = field(default_factory=set)

    def begin(self, clip: Clip) -> None:
        """Goes on to the drive's next clip."""
        if clip.camera in self._cameras:
            self._cameras.clear()
            self._minute_ns, self._minute_number = self._next_ns, self._next_number
        self._cameras.add(clip.camera)
        self.clip_ns = self._minute_ns
        if clip.start_utc_ns is not None:
            if self._origin_utc_ns is None:
                self._origin_utc_ns = clip.start_utc_ns - self._minute_ns
            self.clip_ns = clip.start_utc_ns - self._origin_utc_ns

    def of(self, frame: Frame) -> TimedFrame:
        """The next frame of the clip that was begun last."""
        timed = TimedFrame(frame, self.clip_ns + frame.timestamp_ns, self._minute_number + frame.number)
        self._next_ns = max(self._next_ns, timed.time_ns + 1)
        self._next_number = max(self._next_number, timed.number + 1)
        return timed
