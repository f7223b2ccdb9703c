"""What may run on a file's bytes, and how large things may be."""

import io
import struct

import av
import pytest

from transforms.clips import opening, probing
from transforms.clips.errors import ClipError
from transforms.clips.mp4_index import MAX_PIXELS, MAX_STREAMS
from transforms.clips.opening import DECODERS, MAX_EXTRADATA_BYTES


@pytest.fixture
def fault_of(probe_bytes):
    def run(data: bytes, uri: str = "/in/clip.mp4") -> ClipError:
        with pytest.raises(ClipError) as caught:
            probe_bytes(data, uri)
        return caught.value

    return run


def sequence_parameters(width: int, height: int) -> bytes:
    """An H.264 sequence parameter set of the baseline profile (ITU-T H.264, 7.3.2.1.1)."""

    def ue(value: int) -> str:
        coded = f"{value + 1:b}"
        return "0" * (len(coded) - 1) + coded

    bits = ue(0) + ue(0) + ue(2) + ue(1) + "0" + ue(width // 16 - 1) + ue(height // 16 - 1) + "1100" + "1"
    bits += "0" * (-len(bits) % 8)
    return b"\0\0\0\1\x67\x42\xc0\x3e" + int(bits, 2).to_bytes(len(bits) // 8, "big")


def parts_of(stream: bytes) -> list[bytes]:
    return [b"\0\0\0\1" + part for part in stream.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]]


def test_only_listed_decoders_run(make_video, fault_of):
    assert "h264" in DECODERS
    for container, codec, pixel_format in (("matroska", "ffv1", "yuv420p"), ("avi", "huffyuv", "yuv422p")):
        error = fault_of(make_video(container, codec, frames=2, pixel_format=pixel_format))
        assert (error.fault, codec in str(error)) == ("unsupported_codec", True)


def test_a_size_that_changes_in_mid_stream_is_bounded(make_video, decode_all):
    data = make_video(
        "h264", "libx264", frames=20, group=10, options={"preset": "ultrafast", "profile": "baseline"}
    )
    at = len(data) // 2
    for width, height, is_possible in ((176, 112, True), (16_384, 4096, False)):
        assert (width * height <= MAX_PIXELS) is is_possible
        changed = b"".join(
            sequence_parameters(width, height) if part[4] & 31 == 7 and position > at else part
            for part, position in zip(parts_of(data), positions(data), strict=True)
        )
        assert changed != data
        frames, decoder = decode_all(changed, uri="/in/clip.h264")
        sizes = {(frame._decoded.frame.width, frame._decoded.frame.height) for frame in frames}
        assert ((width, height) in sizes) is is_possible
        assert (160, 96) in sizes
        assert is_possible or decoder.fault.fault == "damaged_packets"


def test_size_and_pixel_format_may_change_within_the_limits(make_video, decode_all):
    forms = [((160, 96), "yuv420p"), ((176, 112), "yuv444p"), ((64, 64), "gray"), ((320, 192), "yuv420p10le")]
    data = b"".join(
        make_video("hevc", "libx265", frames=3, size=size, pixel_format=pixel_format)
        for size, pixel_format in forms
    )
    frames, decoder = decode_all(data, uri="/in/clip.hevc")
    assert decoder.fault is None
    assert [frame.luma().shape for frame in frames] == [size[::-1] for size, _ in forms for _ in range(3)]
    assert {frame.bgr(64, 32).shape for frame in frames} == {(32, 64, 3)}


def positions(data: bytes) -> list[int]:
    starts = []
    at = data.find(b"\0\0\1")
    while at >= 0:
        starts.append(at)
        at = data.find(b"\0\0\1", at + 3)
    return starts


def test_a_picture_of_another_size_in_motion_jpeg_is_bounded(make_video, decode_all):
    data = bytearray(make_video("avi", "mjpeg", frames=4, pixel_format="yuvj420p"))
    headers = [at for at in range(len(data)) if data[at : at + 4] == b"\xff\xc0\0\x11"]
    assert len(headers) == 4
    data[headers[2] + 5 : headers[2] + 9] = struct.pack(">HH", 20_000, 20_000)
    frames, decoder = decode_all(bytes(data), uri="/in/clip.avi")
    assert {(frame._decoded.frame.width, frame._decoded.frame.height) for frame in frames} == {(160, 96)}
    assert decoder.fault.fault == "damaged_packets"


@pytest.mark.parametrize("codec", ["libx264", "mpeg4"])
def test_large_pictures_are_refused_before_one_is_decoded(make_video, fault_of, codec):
    data = bytearray(make_video("mp4", codec, frames=2))
    at = data.index(b"stsd") + 12 + 4 + 28
    assert struct.unpack_from(">HH", data, at) == (160, 96)
    data[at : at + 4] = struct.pack(">HH", 8192, 4321)
    error = fault_of(bytes(data))
    assert (error.fault, "8192 x 4321" in str(error)) == ("too_large", True)


def test_large_pictures_of_other_containers_are_not_decoded(make_video, fault_of):
    data = bytearray(make_video("avi", "rawvideo", frames=2, size=(16, 16)))
    at = data.index(b"strf") + 8 + 4
    data[at : at + 8] = struct.pack("<ii", 9000, 9000)
    error = fault_of(bytes(data))
    assert (error.fault, "larger than 8192 x 4320" in str(error)) == ("damaged_packets", True)


def test_streams_are_counted(fault_of, probe_bytes):
    def many(container: str, streams: int) -> bytes:
        sink = io.BytesIO()
        with av.open(sink, "w", format=container) as output:
            added = [output.add_stream("mpeg4", rate=30) for _ in range(streams)]
            for stream in added:
                stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
            for stream in added:
                for packet in [*stream.encode(av.VideoFrame(16, 16, "yuv420p")), *stream.encode(None)]:
                    output.mux(packet)
        return sink.getvalue()

    for container in ("mp4", "avi"):
        assert probe_bytes(many(container, 20)).frame_count == 1
        error = fault_of(many(container, MAX_STREAMS + 1))
        assert (error.fault, f"more than {MAX_STREAMS} " in str(error)) == ("too_large", True)


def test_a_decoder_configuration_is_bounded(make_video, fault_of):
    plain = make_video("mp4", "mpeg4")
    at = plain.index(b"esds") - 4
    length = int.from_bytes(plain[at : at + 4], "big")

    def configured(size: int) -> bytes:
        info = b"\x05" + long_size(size) + b"\0\0\1\xb0\1" + bytes(size - 5)
        config = b"\x04" + long_size(13 + len(info)) + b"\x20\x11" + bytes(11) + info
        body = b"\x03" + long_size(3 + len(config)) + bytes(3) + config
        esds = struct.pack(">I4s4x", 12 + len(body), b"esds") + body
        grown = bytearray(plain[:at] + esds + plain[at + length :])
        for kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"mp4v"):
            head = grown.index(kind) - 4
            grown[head : head + 4] = (
                int.from_bytes(grown[head : head + 4], "big") + len(esds) - length
            ).to_bytes(4, "big")
        return bytes(grown)

    assert plain.index(b"moov") > plain.index(b"mdat")
    error = fault_of(configured(MAX_EXTRADATA_BYTES + 1))
    assert (error.fault, f"of {MAX_EXTRADATA_BYTES + 1} bytes" in str(error)) == ("too_large", True)


def long_size(value: int) -> bytes:
    """The size of an MPEG-4 descriptor, seven bits a byte."""
    return bytes([value >> 21 & 127 | 128, value >> 14 & 127 | 128, value >> 7 & 127 | 128, value & 127])


def test_pictures_are_counted(make_video, fault_of, monkeypatch):
    monkeypatch.setattr(probing, "MAX_SAMPLES", 29)
    for container in ("mp4", "mpegts", "h264"):
        error = fault_of(make_video(container, "libx264"))
        assert (error.fault, "more than 29 pictures" in str(error)) == ("too_large", True)


def test_a_clip_of_centuries_is_damage(make_video, fault_of):
    data = bytearray(make_video(frames=2).replace(b"edts", b"free"))
    at = data.index(b"stts") + 16
    data[at : at + 4] = (2**30).to_bytes(4, "big")
    data[data.index(b"mdhd") + 16 : data.index(b"mdhd") + 20] = (1).to_bytes(4, "big")
    error = fault_of(bytes(data))
    assert (error.fault, "more than 7 days" in str(error)) == ("damaged_packets", True)


def test_decoders_that_this_ffmpeg_lacks_are_named(monkeypatch):
    assert not {"h264", "hevc"} & set(opening.missing_decoders())
    monkeypatch.setattr(opening, "DECODERS", ("h264", "no such decoder", "hevc"))
    assert opening.missing_decoders() == ("no such decoder",)
