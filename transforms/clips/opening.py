"""What a demuxer and a decoder are allowed: one demuxer, a list of decoders, one stream of bytes, no name, no network."""

from typing import Final

import av
from av.container import InputContainer
from av.stream import Discard, Disposition
from av.video.stream import VideoStream

from transforms.clips.containers import ContainerFacts
from transforms.clips.errors import ClipError
from transforms.clips.mp4_index import MAX_PIXELS, MAX_STREAMS
from transforms.clips.streams import QuietReader

__all__ = ["DECODERS", "MAX_EXTRADATA_BYTES", "choose_stream", "missing_decoders", "open_container"]

DECODERS: Final = (
    *("h264", "hevc", "av1", "libdav1d", "vp8", "vp9"),
    *("mpeg4", "mpeg1video", "mpeg2video", "h263", "mjpeg", "rawvideo"),
)
"""FFmpeg's names of the decoders that may run: what cameras, phones and editors write. Hundreds of others stay shut."""

MAX_EXTRADATA_BYTES: Final = 1 << 16
"""Longest configuration of a decoder: parameter sets take some hundred bytes."""

_OUTPUT_CORRUPT: Final = 8
"""FFmpeg's flag to give damaged frames too. Without it some decoders keep a whole group to themselves."""

_NO_MEMORY: Final = 12
"""errno of what the demuxer says when there are more streams than it may have."""


def missing_decoders() -> tuple[str, ...]:
    """Those of `DECODERS` that the FFmpeg which is here was built without."""
    return tuple(name for name in DECODERS if not _has_decoder(name))


def _has_decoder(name: str) -> bool:
    try:
        av.codec.Codec(name, "r")
    except av.codec.codec.UnknownCodecError:
        return False
    return True


def open_container(reader: QuietReader, facts: ContainerFacts) -> InputContainer:
    """Opens a file with the demuxer that triage chose, and with no other.

    Args:
        reader: the file; nothing else is opened, whatever it refers to.
        facts: what triage found.

    Raises:
        ClipError: not_a_video, too_large, truncated or unreadable.
    """
    reader.seek(0)
    options = {
        "max_pixels": str(MAX_PIXELS),
        "max_streams": str(MAX_STREAMS),
        # the bytes come from `reader`: no protocol is needed, and without one no reference can be followed
        "protocol_whitelist": "",
        "format_whitelist": facts.format,
        "codec_whitelist": ",".join(DECODERS),
    }
    if facts.format == "mov":
        options["enable_drefs"] = "0"
    try:
        return av.open(reader, "r", format=facts.format, options=options, metadata_errors="replace")
    except av.error.FFmpegError as error:
        reader.check()
        code, reason = error.errno, error.strerror or type(error).__name__
    if code == _NO_MEMORY:
        raise ClipError(
            "too_large",
            f"more than {MAX_STREAMS} streams, or sizes that no memory holds: damaged, copy it again",
        )
    if facts.missing_bytes:
        raise ClipError("truncated", f"cut off, and nothing readable is left ({reason}): copy it again")
    raise ClipError("not_a_video", f"its {facts.format} structure is damaged ({reason}): copy it again")


def choose_stream(container: InputContainer) -> VideoStream:
    """The first video stream, made ready for decoding in one thread; the others are not read.

    Args:
        container: the open file.

    Raises:
        ClipError: no_video_stream, unsupported_codec or too_large.
    """
    pictures = [stream for stream in container.streams if stream.type == "video"]
    moving = [stream for stream in pictures if not stream.disposition & Disposition.attached_pic]
    if not moving:
        raise ClipError("no_video_stream", f"no video among its {len(container.streams)} streams")
    stream = moving[0]
    for other in container.streams:
        if other.index != stream.index:
            other.discard = Discard.all
    if not isinstance(stream, VideoStream) or stream.codec_context is None:
        raise ClipError("unsupported_codec", "no decoder for its video codec: convert it to H.264 or HEVC")
    context = stream.codec_context
    if context.codec.name not in DECODERS:
        name = context.codec.canonical_name
        raise ClipError("unsupported_codec", f"{name} video is not decoded: convert it to H.264 or HEVC")
    if context.width * context.height > MAX_PIXELS:
        raise ClipError("too_large", f"pictures of {context.width} x {context.height}: make them smaller")
    if context.extradata_size > MAX_EXTRADATA_BYTES:
        raise ClipError(
            "too_large", f"a decoder configuration of {context.extradata_size} bytes: damaged, copy it again"
        )
    stream.thread_type = "NONE"
    stream.thread_count = 1
    # ties each frame to its packet, also where frames are reordered or carry no times
    context.copy_opaque = True
    context.flags |= _OUTPUT_CORRUPT
    context.options = {"max_pixels": str(MAX_PIXELS), "codec_whitelist": ",".join(DECODERS)}
    return stream
