"""What can be wrong with a clip: a row of `failures`, never the end of a job."""

from typing import Final, Literal

ClipFault = Literal[
    "empty",
    "no_moov",
    "truncated",
    "encrypted_by_vehicle",
    "not_a_video",
    "no_video_stream",
    "unsupported_codec",
    "damaged_packets",
    "too_large",
    "unreadable",
    "timeout",
    "crashed_decoder",
]

RETRYABLE: Final[frozenset[ClipFault]] = frozenset({"no_moov", "unreadable"})
"""Faults that may be gone at the next run: a file still being written, a disk that hiccuped."""


PASSING: Final[frozenset[ClipFault]] = RETRYABLE | {"crashed_decoder", "timeout", "too_large"}
"""Faults that lie with the attempt as much as with the file: another one, or one that may use more, may do better."""


class ClipError(Exception):
    """This clip is at fault.

    Attributes:
        fault: the value of the `error` column of `failures`.
    """

    def __init__(self, fault: ClipFault, message: str) -> None:
        super().__init__(message)
        self.fault: ClipFault = fault

    def __reduce__(self) -> tuple[type["ClipError"], tuple[ClipFault, str]]:
        return (ClipError, (self.fault, str(self)))

    def at(self, uri: str) -> "ClipError":
        """The same fault, told with the file's name (the message stays short, and free of the path)."""
        return ClipError(self.fault, f"{uri.rstrip('/').rsplit('/', 1)[-1]}: {self}")

    @property
    def retryable(self) -> bool:
        """Whether the next run should try this clip again."""
        return self.fault in RETRYABLE


def unreadable(error: OSError) -> ClipError:
    """The fault of a file that the disk or the network does not give."""
    reason = error.strerror or type(error).__name__
    return ClipError("unreadable", f"reading failed ({reason}): check the disk and run again")
