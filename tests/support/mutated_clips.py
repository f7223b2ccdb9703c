"""Clips that have been damaged on purpose: the same ones for the same seed."""

import io
import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

SAMPLE = Path(__file__).parents[2] / "sample_data"
SEED = 20_260_101

INSIDE = {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"dinf", b"mvex", b"moof", b"traf", b"udta"}
LIES = (0, 1, 2, 7, 8, 9, 15, 16, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF)

Mutation = Callable[[random.Random, bytes], bytes]


@dataclass(frozen=True)
class Mutant:
    """A damaged clip.

    Attributes:
        name: file name, which tells what was done to it.
        data: its bytes.
    """

    name: str
    data: bytes


@dataclass(frozen=True)
class Box:
    """A box of an MP4: where it begins and ends."""

    begin: int
    end: int
    kind: bytes


def boxes(data: bytes, begin: int = 0, end: int | None = None) -> Iterator[Box]:
    """Every box of a whole MP4, a box before those inside it."""
    stop = len(data) if end is None else end
    while begin + 8 <= stop:
        size, kind = struct.unpack_from(">I4s", data, begin)
        if size < 8 or begin + size > stop:
            return
        yield Box(begin, begin + size, kind)
        if kind in INSIDE:
            yield from boxes(data, begin + 8, begin + size)
        begin += size


def flip_bits(dice: random.Random, data: bytes) -> bytes:
    """Turns bits anywhere."""
    out = bytearray(data)
    for _ in range(dice.choice((1, 4, 30, 300))):
        out[dice.randrange(len(out))] ^= 1 << dice.randrange(8)
    return bytes(out)


def flip_in_index(dice: random.Random, data: bytes) -> bytes:
    """Turns bits in one box of the index (or in the first bytes of another container)."""
    found = [box for box in boxes(data) if box.kind not in INSIDE and box.kind != b"mdat"]
    box = dice.choice(found) if found else Box(0, min(600, len(data)), b"")
    out = bytearray(data)
    for _ in range(dice.choice((1, 3, 10))):
        out[dice.randrange(box.begin, box.end)] ^= 1 << dice.randrange(8)
    return bytes(out)


def truncate(dice: random.Random, data: bytes) -> bytes:
    """Cuts the end off."""
    return data[: dice.randrange(1, len(data))]


def drop_middle(dice: random.Random, data: bytes) -> bytes:
    """Leaves some bytes out."""
    first = dice.randrange(len(data))
    return data[:first] + data[first + dice.choice((1, 4, 188, 4096)) :]


def repeat_middle(dice: random.Random, data: bytes) -> bytes:
    """Writes some bytes twice."""
    first = dice.randrange(len(data))
    last = first + dice.choice((1, 4, 188, 4096))
    return data[:last] + data[first:last] + data[last:]


def overwrite(dice: random.Random, data: bytes) -> bytes:
    """Puts zeros or noise over a stretch."""
    first, length = dice.randrange(len(data)), dice.choice((4, 64, 4096, 20_000))
    length = min(length, len(data) - first)
    filler = bytes(length) if dice.random() < 0.5 else dice.randbytes(length)
    return data[:first] + filler + data[first + length :]


def swap_boxes(dice: random.Random, data: bytes) -> bytes:
    """Two boxes that are not inside one another change places."""
    found = list(boxes(data))
    for _ in range(50):
        one, two = sorted((dice.choice(found), dice.choice(found)), key=lambda box: box.begin)
        if one.end <= two.begin:
            between = data[one.end : two.begin]
            return (
                data[: one.begin]
                + data[two.begin : two.end]
                + between
                + data[one.begin : one.end]
                + data[two.end :]
            )
    return data[::-1]


def duplicate_box(dice: random.Random, data: bytes) -> bytes:
    """A box stands twice; the boxes around it may know of it."""
    box = dice.choice(list(boxes(data)))
    times = dice.choice((1, 1, 3))
    out = bytearray(data[: box.end] + data[box.begin : box.end] * times + data[box.end :])
    if dice.random() < 0.7:
        for around in boxes(data):
            if around.begin < box.begin and box.end <= around.end:
                size = around.end - around.begin + times * (box.end - box.begin)
                out[around.begin : around.begin + 4] = struct.pack(">I", size)
    return bytes(out)


def lie_about_size(dice: random.Random, data: bytes) -> bytes:
    """A box tells another size than it has."""
    box = dice.choice(list(boxes(data)))
    size = box.end - box.begin
    lie = dice.choice((*LIES, size - 1, size + 1, size * 2, size // 2, len(data)))
    return data[: box.begin] + struct.pack(">I", lie) + data[box.begin + 4 :]


def lie_about_count(dice: random.Random, data: bytes) -> bytes:
    """A table of the index has a number that is far off."""
    tables = [
        box
        for box in boxes(data)
        if box.kind.startswith((b"st", b"ct", b"co", b"el", b"mdhd", b"tkhd", b"mvhd"))
    ]
    box = dice.choice(tables or list(boxes(data)))
    at = min(box.begin + 8 + 4 * dice.randrange(6), box.end - 4)
    return data[:at] + struct.pack(">I", dice.choice((*LIES, dice.getrandbits(32)))) + data[at + 4 :]


ANY: tuple[Mutation, ...] = (flip_bits, flip_in_index, truncate, drop_middle, repeat_middle, overwrite)
MP4_ALONE: tuple[Mutation, ...] = (swap_boxes, duplicate_box, lie_about_size, lie_about_count)


def seeds(frames: int = 12) -> dict[str, bytes]:
    """Small whole clips, by file name: sample clips cut to some frames and put into other containers, and drawn ones."""
    front = SAMPLE / "TeslaCam" / "RecentClips" / "2025-06-14_09-01-00-front.mp4"
    varying = SAMPLE / "generic" / "variable_rate.mp4"
    found = {f"front.{ending}": _remuxed(front, form, frames) for ending, form in CONTAINERS.items()}
    found["varying.mp4"] = _remuxed(varying, "mp4", frames)
    found["fragments.mp4"] = _remuxed(
        front, "mp4", frames, {"movflags": "frag_keyframe+empty_moov+default_base_moof"}
    )
    found["drawn_hevc.mp4"] = _drawn("mp4", "libx265", frames)
    found["drawn_bare.hevc"] = _drawn("hevc", "libx265", frames)
    found["drawn_vp9.mkv"] = _drawn("matroska", "libvpx-vp9", frames)
    found["drawn_mjpeg.avi"] = _drawn("avi", "mjpeg", frames, "yuvj420p")
    found["drawn_mpeg4.mp4"] = _drawn("mp4", "mpeg4", frames)
    found["drawn_mpeg2.ts"] = _drawn("mpegts", "mpeg2video", frames)
    half = frames // 2 or 1
    found["drawn_changing.ts"] = _drawn("mpegts", "libx264", half) + _drawn(
        "mpegts", "libx264", half, "yuv444p", (160, 112)
    )
    return found


CONTAINERS = {"mp4": "mp4", "ts": "mpegts", "mkv": "matroska"}
"""Endings and FFmpeg's names of the containers that take a car's pictures as they are."""


def mutants(count: int, seed: int = SEED) -> list[Mutant]:
    """Damaged clips, the same ones for the same count and seed.

    Args:
        count: how many.
        seed: of the dice.
    """
    dice = random.Random(seed)
    whole = seeds()
    # most are MP4: that is what cars write
    names = sorted(whole, key=lambda name: (not name.endswith(".mp4"), name))
    weights = [3 if name.endswith(".mp4") else 1 for name in names]
    made = []
    for number in range(count):
        name = dice.choices(names, weights)[0]
        data = whole[name]
        kinds = (*ANY, *MP4_ALONE, *MP4_ALONE) if name.endswith(".mp4") else ANY
        mutation = dice.choice(kinds)
        stem, ending = name.rsplit(".", 1)
        made.append(
            Mutant(f"{number:03d}_{stem}_{mutation.__name__}.{ending}", mutation(dice, data) or b"\0")
        )
    return made


def _remuxed(source: Path, form: str, frames: int, options: dict[str, str] | None = None) -> bytes:
    sink = io.BytesIO()
    with av.open(str(source)) as read, av.open(sink, "w", format=form, options=options or {}) as written:
        pictures = read.streams.video[0]
        stream = written.add_stream_from_template(pictures)
        for number, packet in enumerate(read.demux(pictures)):
            if packet.size and number < frames:
                packet.stream = stream
                written.mux(packet)
    return sink.getvalue()


def _drawn(
    form: str, codec: str, frames: int, pixel_format: str = "yuv420p", size: tuple[int, int] = (96, 64)
) -> bytes:
    sink = io.BytesIO()
    with av.open(sink, "w", format=form) as output:
        stream = output.add_stream(codec, rate=12)
        stream.width, stream.height, stream.pix_fmt = *size, pixel_format
        stream.codec_context.gop_size = 6
        stream.codec_context.thread_count = 1
        stream.options = {"x265-params": "log-level=none"} if codec == "libx265" else {}
        y, x = np.mgrid[: size[1], : size[0]]
        for number in range(frames + 1):
            frame = None
            if number < frames:
                wave = 128 + 60 * np.sin((x + 4 * number) / 7) + 50 * np.sin((y - 3 * number) / 5)
                frame = av.VideoFrame.from_ndarray(wave.astype(np.uint8), "gray").reformat(
                    format=pixel_format
                )
                frame.pts = number
            for packet in stream.encode(frame):
                output.mux(packet)
    return sink.getvalue()
