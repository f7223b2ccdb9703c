"""Files that name other files or addresses: whatever they say, only the stream that was given is read."""

import contextlib
import io
import struct
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import pytest
from watching import CAN_WATCH, Bait

from transforms.clips.errors import ClipError
from transforms.clips.refs import ClipRef, InputFile
from transforms.tasks import probe_file

pytestmark = pytest.mark.skipif(not CAN_WATCH, reason="only Linux tells who opens a file")


@pytest.fixture
def bait(tmp_path, make_video) -> Iterator[Bait]:
    secret = tmp_path / "secret.ts"
    secret.write_bytes(make_video("mpegts"))
    with Bait(secret) as watched:
        yield watched


def playlist(target: str) -> bytes:
    return f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{target}\n#EXT-X-ENDLIST\n".encode()


def references(bait: Bait) -> list[str]:
    address = f"127.0.0.1:{bait.port}/clip.ts"
    return [
        str(bait.path),
        f"file://{bait.path}",
        f"file:{bait.path}",
        f"concat:{bait.path}|{bait.path}",
        f"subfile,,start,0,end,0,,:{bait.path}",
        f"crypto:{bait.path}",
        f"cache:{bait.path}",
        *(f"{scheme}://{address}" for scheme in ("http", "tcp", "ftp", "rtmp", "rtsp", "udp", "gopher")),
    ]


def texts(bait: Bait) -> Iterator[bytes]:
    for target in references(bait):
        yield playlist(target)
        yield f"ffconcat version 1.0\nfile '{target}'\n".encode()
        yield (
            '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet>'
            f"<Representation id='0'><BaseURL>{target}</BaseURL></Representation></AdaptationSet></Period></MPD>"
        ).encode()
        yield target.encode()
    yield f"v=0\nc=IN IP4 127.0.0.1\nm=video {bait.port} RTP/AVP 96\na=rtpmap:96 H264/90000\n".encode()
    yield f"[reference]\nRef1=http://127.0.0.1:{bait.port}/x\n".encode()


def disguised(text: bytes, beginning: bytes) -> bytes:
    """A playlist that triage takes for a video, by its first bytes or by sync bytes among comments."""
    if beginning:
        return beginning + b"\n" + text
    lines = bytearray(text + b"#" * (188 * 8))
    for at in range(len(text) + 5, len(lines), 188):
        lines[at] = 0x47
    return bytes(b"#" * (188 - (len(text) + 5) % 188) + b"\n" + lines)


def untouched(bait: Bait, probe: Callable[[bytes, str], ClipRef], data: bytes, uri: str) -> None:
    with contextlib.suppress(ClipError):
        probe(data, uri)
    assert not bait.was_opened(), data[:200]
    assert not bait.was_called(), data[:200]


def test_the_bait_tells(bait):
    """Without the guards both are touched: the tests of this module can fail."""
    for target in (f"file://{bait.path}", f"http://127.0.0.1:{bait.port}/clip.ts"):
        with contextlib.suppress(av.error.FFmpegError):
            av.open(io.BytesIO(playlist(target)), format="hls", timeout=1)
    assert bait.was_opened()
    assert bait.was_called()


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv", "ts", "avi", "hevc", "m4v"])
def test_playlists_and_lists_of_files_are_no_videos(bait, probe_bytes, ending):
    for text in texts(bait):
        with pytest.raises(ClipError) as caught:
            probe_bytes(text, f"/in/clip.{ending}")
        assert caught.value.fault == "not_a_video"
    assert not bait.was_opened()
    assert not bait.was_called()


@pytest.mark.parametrize(
    "beginning",
    [
        b"",
        b"\0\0\0\x08ftyp\0\0\0\x08moov",
        b"\x1a\x45\xdf\xa3",
        b"RIFF\xff\0\0\0AVI ",
        b"\0\0\0\1\x67\x42",
        b"\0\0\0\1\x40\1",
        b"\0\0\1\xb0\1",
        b"G" + b"\xff" * 187 + b"G" + b"\xff" * 187,
    ],
)
def test_disguised_playlists_are_not_followed(bait, probe_bytes, beginning):
    for text in texts(bait):
        untouched(bait, probe_bytes, disguised(text, beginning), "/in/clip.m3u8")


def with_alias(data: bytes, path: Path) -> bytes:
    """An mp4 whose pictures lie in another file, by a Macintosh alias in its data reference."""
    place = str(path).replace("/", ":").encode()
    place += b"\0" * (len(place) % 2)
    record = bytes(10) + bytes(28) + bytes(12) + bytes(64) + bytes(16) + struct.pack(">HH", 0, 0) + bytes(16)
    record += struct.pack(">HH", 2, len(place)) + place + struct.pack(">HH", 0xFFFF, 0)
    entry = struct.pack(">I4sI", 12 + len(record), b"alis", 0) + record
    body = struct.pack(">I4sII", 16 + len(entry), b"dref", 0, 1) + entry
    at = data.index(b"dref") - 4
    length = int.from_bytes(data[at : at + 4], "big")
    grown = bytearray(data[:at] + body + data[at + length :])
    for kind in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        head = grown.index(kind) - 4
        size = int.from_bytes(grown[head : head + 4], "big") + len(body) - length
        grown[head : head + 4] = size.to_bytes(4, "big")
    return bytes(grown)


def test_data_references_are_not_followed(bait, tmp_path, make_video, probe_bytes):
    hostile = with_alias(make_video("mov"), bait.path)
    (tmp_path / "hostile.mov").write_bytes(hostile)
    options = {"enable_drefs": "1", "use_absolute_path": "1"}
    with av.open(str(tmp_path / "hostile.mov"), options=options):
        assert bait.was_opened(), "the file does what it is made for"
    with pytest.raises(ClipError) as caught:
        probe_bytes(hostile, str(tmp_path / "hostile.mov"))
    assert caught.value.fault == "no_video_stream"
    assert not bait.was_opened()


@pytest.mark.parametrize("kind", [b"url ", b"urn "])
def test_addresses_in_data_references_are_not_followed(bait, make_video, probe_bytes, kind):
    data = make_video("mov")
    at = data.index(b"dref") + 12
    target = f"http://127.0.0.1:{bait.port}/".encode()
    for flags in (0, 1):
        entry = data[: at + 4] + kind + struct.pack(">I", flags) + target + data[at + 12 + len(target) :]
        untouched(bait, probe_bytes, entry, "/in/clip.mov")


def test_reference_movies_are_not_followed(bait, probe_bytes):
    def box(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(body), kind) + body

    for target in references(bait):
        place = target.encode() + b"\0"
        reference = box(b"rdrf", struct.pack(">I4sI", 0, b"url ", len(place)) + place)
        movie = box(b"moov", box(b"rmra", box(b"rmda", reference)))
        untouched(bait, probe_bytes, box(b"ftyp", b"qt  \0\0\0\0") + movie, "/in/clip.mov")


def test_playlists_in_subtitles_are_not_followed(bait, probe_bytes):
    """AVI may hold a whole subtitle file in a packet, which the demuxer hands to another demuxer."""
    for target in references(bait):
        text = playlist(target)
        packet = b"GAB2\0" + struct.pack("<HIHI", 2, 0, 4, len(text)) + text
        sink = io.BytesIO()
        with av.open(sink, "w", format="avi") as output:
            streams = [output.add_stream("mpeg4", rate=30) for _ in range(2)]
            for stream in streams:
                stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
            for data in (*streams[0].encode(av.VideoFrame(32, 32, "yuv420p")), *streams[0].encode(None)):
                output.mux(data)
            hidden = av.Packet(packet)
            hidden.stream, hidden.pts, hidden.dts, hidden.time_base = streams[1], 0, 0, Fraction(1, 30)
            output.mux(hidden)
        data = sink.getvalue()
        second = data.rindex(b"strh") + 8
        hostile = data[:second] + b"txts" + data[second + 4 :]
        untouched(bait, probe_bytes, hostile, "/in/clip.avi")


@pytest.mark.parametrize(
    "name", ["concat:secret.ts|secret.ts.mp4", "file:secret.ts", "http:secret.ts", "pipe:0.ts"]
)
def test_names_are_never_protocols(bait, tmp_path, monkeypatch, make_video, name):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / name
    path.write_bytes(make_video(frames=3))
    clip = probe_file(InputFile(uri=str(path), root=str(tmp_path), bytes=path.stat().st_size), None)
    assert isinstance(clip, ClipRef)
    assert clip.frame_count == 3
    assert not bait.was_opened()
