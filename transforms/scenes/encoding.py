"""Writing frames as H.264 in MP4, as a car does: no B-frames, `moov` last, telemetry in SEI messages."""

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from io import BytesIO
from typing import Final

import av
import numpy as np
import numpy.typing as npt
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from transforms.clips.sei import SeiMetadata, insert

TICKS_PER_S: Final = 90_000
"""PTS ticks of every clip that is written here."""


@dataclass(frozen=True, slots=True)
class ClipFrame:
    """A frame to be written.

    Attributes:
        pts: when, in ticks since the clip's start.
        image: BGR uint8[h, w, 3], sides even.
        telemetry: its message, if it carries one.
    """

    pts: int
    image: npt.NDArray[np.uint8]
    telemetry: SeiMetadata | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoding:
    """How a clip is written.

    Attributes:
        fps: nominal rate, frames a second.
        duration_ticks: from the first frame to the end of the last.
        start_utc: text of the container's creation time (ISO 8601), or "" for none.
        crf: x264's constant rate factor.
    """

    fps: Fraction
    duration_ticks: int
    start_utc: str = ""
    crf: int = 27


def encode(frames: Iterable[ClipFrame], how: Encoding) -> bytes:
    """Encodes frames as one MP4 file, the same bytes every time.

    Args:
        frames: in order of their PTS, all of one size.
        how: rate, duration and clock.

    Returns:
        The file.
    """
    sink = BytesIO()
    with av.open(sink, "w", format="mp4") as container:
        if how.start_utc:
            container.metadata["creation_time"] = how.start_utc
        stream: VideoStream | None = None
        written: list[av.Packet[VideoStream]] = []
        waiting: list[ClipFrame] = []
        for frame in frames:
            if stream is None:
                stream = _stream(container, frame.image.shape[1], frame.image.shape[0], how)
            waiting.append(frame)
            written += stream.encode(_picture(frame))
            _flush(container, stream, written, waiting, how, last=False)
        if stream is None:
            raise ValueError("a clip needs at least one frame")
        written += stream.encode(None)
        _flush(container, stream, written, waiting, how, last=True)
    return sink.getvalue()


def _stream(container: av.container.OutputContainer, width: int, height: int, how: Encoding) -> VideoStream:
    stream: VideoStream = container.add_stream("libx264", rate=how.fps)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    stream.codec_context.time_base = Fraction(1, TICKS_PER_S)
    # A keyframe every half second and no B-frames, as the car writes; x264's bytes depend on the number of threads.
    every = str(max(round(how.fps / 2), 1))
    stream.codec_context.options = {
        "preset": "veryfast",
        "crf": str(how.crf),
        "threads": "1",
        "x264-params": f"bframes=0:keyint={every}:min-keyint={every}:scenecut=0:rc-lookahead=0:sync-lookahead=0:sliced-threads=0",
    }
    stream.codec_context.thread_count = 1
    return stream


def _picture(frame: ClipFrame) -> VideoFrame:
    picture = VideoFrame.from_ndarray(frame.image, format="bgr24").reformat(format="yuv420p")
    picture.pts, picture.time_base = frame.pts, Fraction(1, TICKS_PER_S)
    return picture


def _flush(
    container: av.container.OutputContainer,
    stream: VideoStream,
    packets: "list[av.Packet[VideoStream]]",  # quoted: generic in PyAV's stubs alone
    frames: list[ClipFrame],
    how: Encoding,
    *,
    last: bool,
) -> None:
    """Writes packets whose durations are known: each lasts until the next, the last until the clip's end."""
    while packets and (last or len(frames) > 1):
        packet, frame = packets.pop(0), frames.pop(0)
        if packet.pts != frame.pts:
            raise RuntimeError(f"the encoder gave the frame of {packet.pts} for {frame.pts}")
        content = bytes(packet)
        if frame.telemetry is not None:
            content = insert(content, frame.telemetry)
        fresh = av.Packet(content)
        fresh.pts, fresh.dts, fresh.time_base = packet.pts, packet.dts, packet.time_base
        fresh.duration = (frames[0].pts if frames else how.duration_ticks) - frame.pts
        fresh.stream, fresh.is_keyframe = stream, packet.is_keyframe
        container.mux(fresh)


def versions() -> dict[str, str]:
    """The libraries that the bytes of a clip depend on, and their versions."""
    import cv2

    return {
        "av": av.__version__,
        "ffmpeg": av.ffmpeg_version_info,
        "numpy": np.__version__,
        "opencv": cv2.__version__,
    }
