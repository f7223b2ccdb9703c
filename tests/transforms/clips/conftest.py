"""Small real clips, made with the encoder, and the development clips where they are at hand."""

import io
import os
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from transforms.clips import sei
from transforms.clips.refs import ClipName, ClipRef, InputFile

GENERIC = ClipName(source="generic", vehicle="", camera="unknown")


@pytest.fixture(scope="session")
def shared_clips() -> Path:
    default = Path(__file__).resolve().parents[4] / "shared"
    folder = Path(os.environ.get("CLIPMILL_SHARED", default)) / "clips"
    if not folder.is_dir():
        pytest.skip("the development clips are not beside the checkout")
    return folder


def picture(number: int, width: int, height: int) -> np.ndarray:
    """A textured picture that is brighter at the left and differs from one number to the next."""
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    base = 200 - 120 * x / width + 25 * np.sin((x + 5 * number) / 4) + 20 * np.sin((y - 3 * number) / 5)
    noise = np.random.default_rng(number).integers(-6, 7, (height, width))
    gray = np.clip(base + noise, 16, 235)
    return np.stack([gray, gray * 0.9, gray * 0.8], axis=2).astype(np.uint8)


def encode(
    container: str = "mp4",
    codec: str = "libx264",
    *,
    frames: int = 30,
    size: tuple[int, int] = (160, 96),
    rate: int = 30,
    group: int = 10,
    b_frames: int = 0,
    pixel_format: str = "yuv420p",
    times: list[int] | None = None,
    rotation: int | None = None,
    telemetry: dict[int, sei.SeiMetadata] | None = None,
    options: dict[str, str] | None = None,
) -> bytes:
    sink = io.BytesIO()
    private = {"x265-params": "log-level=none", "sc_threshold": "0", **(options or {})}
    with av.open(sink, "w", format=container) as output:
        stream = output.add_stream(codec, rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = pixel_format
        stream.codec_context.gop_size = group
        stream.codec_context.max_b_frames = b_frames
        stream.codec_context.thread_count = 1
        stream.options = private
        if rotation is not None:
            stream.set_display_rotation(rotation)
        for number in range(frames + 1):
            if number < frames:
                frame = av.VideoFrame.from_ndarray(picture(number, *size), "bgr24")
                frame = frame.reformat(format=pixel_format, threads=1)
                frame.pts = number if times is None else times[number]
                packets = stream.encode(frame)
            else:
                packets = stream.encode(None)
            for packet in packets:
                output.mux(_with_telemetry(packet, telemetry) if telemetry else packet)
    return sink.getvalue()


def _with_telemetry(packet: av.Packet, telemetry: dict[int, sei.SeiMetadata]) -> av.Packet:
    if packet.pts not in telemetry:
        return packet
    new = av.Packet(sei.insert(bytes(packet), telemetry[packet.pts]))
    new.pts, new.dts, new.time_base, new.stream = packet.pts, packet.dts, packet.time_base, packet.stream
    new.duration = packet.duration
    new.is_keyframe = packet.is_keyframe
    return new


@pytest.fixture(scope="session")
def make_video() -> Callable[..., bytes]:
    made: dict[str, bytes] = {}

    def make(*args, **options) -> bytes:
        key = repr((args, sorted(options.items())))
        if key not in made:
            made[key] = encode(*args, **options)
        return made[key]

    return make


@pytest.fixture(scope="session")
def faststart() -> Callable[[bytes], bytes]:
    """Moves an mp4's index before its pictures."""

    def move(data: bytes) -> bytes:
        at = data.index(b"moov") - 4
        length = int.from_bytes(data[at : at + 4], "big")
        moov, media = bytearray(data[at : at + length]), data.index(b"mdat") - 4
        table = moov.index(b"stco") + 8
        count = int.from_bytes(moov[table : table + 4], "big")
        offsets = np.frombuffer(moov, ">u4", count, table + 4) + length
        moov[table + 4 : table + 4 + 4 * count] = offsets.astype(">u4").tobytes()
        return data[:media] + bytes(moov) + data[media:at] + data[at + length :]

    return move


@pytest.fixture(scope="session")
def probe_bytes() -> Callable[..., ClipRef]:
    from transforms.clips.probing import probe

    def run(data: bytes, uri: str = "/in/clip.mp4", name: ClipName = GENERIC, timezone=None) -> ClipRef:
        file = InputFile(uri=uri, root="/in", bytes=len(data))
        return probe(io.BytesIO(data), file, name, timezone)

    return run


@pytest.fixture(scope="session")
def decode_all(probe_bytes) -> Callable:
    """Decodes bytes to (frames, decoder); the clip is probed first unless it is given."""
    from transforms.clips.decoding import ClipDecoder
    from transforms.clips.sampling import Sampling

    def run(data: bytes, sampling: str = "all", start_ns=0, stop_ns=2**62, clip=None, uri="/in/clip.mp4"):
        clip = clip or probe_bytes(data, uri)
        with ClipDecoder(io.BytesIO(data), clip) as decoder:
            frames = list(decoder.frames(Sampling.parse(sampling), start_ns, stop_ns))
        return frames, decoder

    return run
