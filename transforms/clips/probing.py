"""All that is known of a clip without decoding it: one pass over its bytes."""

from collections.abc import Sequence
from datetime import tzinfo
from fractions import Fraction
from itertools import pairwise
from typing import BinaryIO, Final

from transforms.clips import sei
from transforms.clips.clock import read_clock
from transforms.clips.containers import triage
from transforms.clips.errors import ClipError, unreadable
from transforms.clips.mp4_index import MAX_SAMPLES
from transforms.clips.reading import DecodedFrame, VideoReader
from transforms.clips.refs import ClipName, ClipRef, InputFile
from transforms.clips.streams import HashingReader, QuietReader
from transforms.clips.timeline import NS, round_fraction
from transforms.tables.ids import clip_id

__all__ = ["MAX_DURATION_NS", "PROBING_VERSION", "nal_length_size", "probe", "raw_rate", "shown_pts"]

PROBING_VERSION: Final = 2
"""Raised whenever the same file may get another reference: what earlier runs kept is then not used."""

_COMMA_RATE: Final = Fraction(20)
_COMMA_NAMES: Final = frozenset({"fcamera.hevc", "ecamera.hevc", "dcamera.hevc", "video.hevc"})
"""openpilot's bare streams: their header says nothing, and the device takes 20 pictures a second."""

MAX_DURATION_NS: Final = 7 * 86_400 * NS
"""No camera writes longer files; damaged time stamps would plan a shard for each minute of centuries."""

_SLOWEST_NS: Final = 60 * NS
"""Mean time a picture may stand: slower time lapses are not made, and a shard without a picture is of no use."""


def probe(stream: BinaryIO, file: InputFile, name: ClipName, timezone: tzinfo | None) -> ClipRef:
    """Reads a file once: digest, index, packets; of its pictures only the first is decoded, for its rotation.

    Args:
        stream: the file; it must be able to seek.
        file: where it was found.
        name: what place and name say.
        timezone: the car's time zone, for names without a better clock.

    Returns:
        The reference of the clip.

    Raises:
        ClipError: what is wrong with the file; its message begins with the file's name.
    """
    try:
        return _probe(stream, file, name, timezone)
    except ClipError as error:
        raise error.at(file.uri) from None
    except OSError as error:
        raise unreadable(error).at(file.uri) from error


def raw_rate(uri: str) -> Fraction | None:
    """Pictures a second of a bare stream whose name tells them.

    >>> raw_rate("/route/0/fcamera.hevc")
    Fraction(20, 1)
    """
    return _COMMA_RATE if uri.rsplit("/", 1)[-1] in _COMMA_NAMES else None


def nal_length_size(codec: str, extradata: bytes | None) -> int | None:
    """How H.264 packets part their NALs.

    Args:
        codec: FFmpeg's name of the codec.
        extradata: the decoder's configuration.

    Returns:
        Bytes of a NAL's length; 0 for start codes; None for codecs that carry no telemetry.
    """
    if codec != "h264":
        return None
    return (extradata[4] & 3) + 1 if extradata and len(extradata) > 4 and extradata[0] == 1 else 0  # noqa: PLR2004 - avcC's fifth byte


def shown_pts(stream: BinaryIO, uri: str) -> list[int]:
    """PTS of all pictures that are shown, in ascending order; nothing is decoded.

    Args:
        stream: the file; it must be able to seek.
        uri: its place.

    Raises:
        ClipError: it cannot be read.
    """
    reader = QuietReader(stream)
    with VideoReader(reader, triage(stream, stream.seek(0, 2)), raw_rate(uri)) as video:
        shown = sorted(pts for packet, pts in video.packets() if not packet.is_discard)
    reader.check()
    return shown


def _probe(stream: BinaryIO, file: InputFile, name: ClipName, timezone: tzinfo | None) -> ClipRef:
    size = stream.seek(0, 2)
    facts = triage(stream, size)
    reader = HashingReader(stream)
    with VideoReader(reader, facts, raw_rate(file.uri)) as video:
        context = video.stream.codec_context
        codec = context.codec.canonical_name
        length_size = nal_length_size(codec, context.extradata)
        shown: list[int] = []
        telemetry_rows = 0
        last_end = -(2**63)
        first: DecodedFrame | None = None
        for packet, pts in video.packets():
            if first is None:
                first = next(video.decode(packet, pts), None)
            if packet.is_discard:
                continue
            shown.append(pts)
            if len(shown) > MAX_SAMPLES:
                raise ClipError("too_large", f"more than {MAX_SAMPLES} pictures: cut it into parts")
            last_end = max(last_end, pts + video.duration(packet))
            telemetry_rows += (
                length_size is not None and sei.parse(memoryview(packet), length_size) is not None
            )
        if first is None:
            first = next(video.flush(), None)
        reader.check()
        if first is None:
            raise _nothing_decodes(len(shown), facts.missing_bytes, codec)
        time_base = video.time_base
        # FFmpeg turns counter-clockwise
        rotation_deg = -90 * round(first.frame.rotation / 90) % 360
        width, height = first.frame.width, first.frame.height
    sha256, size = reader.finish()
    shown.sort()
    typical, jitter = _rhythm(shown)
    duration = max(last_end, shown[-1] + (typical if last_end <= shown[-1] else 0)) - first.pts
    duration_ns = round_fraction(duration * time_base[0] * NS, time_base[1])
    early_ns = round_fraction((first.pts - shown[0]) * time_base[0] * NS, time_base[1])
    if max(duration_ns, early_ns) > MAX_DURATION_NS:
        raise ClipError(
            "damaged_packets", "its time stamps are more than 7 days apart: damaged, copy it again"
        )
    if duration_ns > _SLOWEST_NS * len(shown):
        raise ClipError(
            "damaged_packets",
            f"{len(shown)} pictures over {duration_ns // (60 * NS)} minutes: its time stamps are damaged, copy it again",
        )
    clock = read_clock(facts.created_s, name.minute, timezone)
    return ClipRef(
        clip_id=clip_id(sha256),
        uri=file.uri,
        name=name,
        content_sha256=sha256,
        bytes=size,
        codec=codec,
        width=height if rotation_deg % 180 else width,
        height=width if rotation_deg % 180 else height,
        rotation_deg=rotation_deg,
        time_base=time_base,
        first_pts=first.pts,
        frame_count=len(shown),
        duration_ns=duration_ns,
        fps_mean=len(shown) * NS / duration_ns if duration_ns > 0 else 0.0,
        frame_jitter_ns=round_fraction(jitter * time_base[0] * NS, time_base[1]),
        start_utc_ns=clock.start_utc_ns,
        clock_source=clock.source,
        clock_uncertainty_ns=clock.uncertainty_ns,
        clock_offset_ns=clock.offset_ns,
        telemetry_rows=telemetry_rows,
    )


def _nothing_decodes(packets: int, missing_bytes: int, codec: str) -> ClipError:
    if missing_bytes:
        return ClipError("truncated", f"cut off before its first picture: {missing_bytes} bytes are missing")
    if packets == 0:
        return ClipError("no_video_stream", "its video stream holds no picture")
    return ClipError(
        "damaged_packets",
        f"none of its {packets} {codec} pictures can be decoded: damaged (copy it again), or larger than 8192 x 4320",
    )


def _rhythm(shown: Sequence[int]) -> tuple[int, int]:
    """The median distance of sorted times, and the greatest deviation from it."""
    distances = sorted(later - earlier for earlier, later in pairwise(shown))
    if not distances:
        return 0, 0
    typical = distances[(len(distances) - 1) // 2]
    return typical, max(typical - distances[0], distances[-1] - typical)
