import contextlib
import io
import random
from collections import Counter

import av
import pytest
from clip_formats import FORMS

from transforms.clips.containers import triage
from transforms.clips.decoding import ClipDecoder
from transforms.clips.errors import ClipError
from transforms.clips.reading import VideoReader
from transforms.clips.sampling import Sampling
from transforms.clips.streams import QuietReader


def row(frame):
    return (frame.pts, frame.timestamp_ns, frame.is_keyframe, frame.is_damaged, frame.gop_start_pts)


def look(frame):
    return frame.bgr(80, 48).tobytes()


def damage(data: bytes, first: int, length: int) -> bytes:
    dice = random.Random(first)
    middle = bytes(byte ^ dice.randrange(1, 256) for byte in data[first : first + length])
    return data[:first] + middle + data[first + length :]


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_damage_is_marked_to_the_next_keyframe_and_good_frames_are_kept(
    make_video, decode_all, codec, b_frames
):
    data = make_video("mp4", codec, frames=60, b_frames=b_frames, size=(320, 192), options={"crf": "14"})
    clean, _ = decode_all(data)
    with av.open(io.BytesIO(data)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    key = [number for number, packet in enumerate(packets) if packet.is_keyframe][2]
    victim = packets[key + 2]
    frames, decoder = decode_all(damage(data, victim.pos + 8, victim.size - 8))
    truth = {frame.pts: look(frame) for frame in clean}
    for frame in frames:
        if not frame.is_damaged:
            assert look(frame) == truth[frame.pts]
    damaged = [frame.pts // 512 for frame in frames if frame.is_damaged]
    missing = set(truth) - {frame.pts for frame in frames}
    assert 1 <= len(damaged) + len(missing) <= 10
    assert {frame.gop_start_pts for frame in frames if frame.is_damaged} == {packets[key].pts}
    assert decoder.fault.fault == "damaged_packets"
    assert decoder.damaged_frames == len(damaged)
    assert f"{len(frames) - len(damaged)} good and {len(damaged)} damaged frames" in str(decoder.fault)
    assert str(decoder.fault).startswith("clip.mp4: ")


def test_a_lost_keyframe_takes_its_group(make_video, decode_all):
    data = make_video(frames=40, size=(320, 192))
    with av.open(io.BytesIO(data)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    assert packets[20].is_keyframe
    frames, decoder = decode_all(damage(data, packets[20].pos + 4, packets[20].size - 4))
    good = [frame.pts // 512 for frame in frames if not frame.is_damaged]
    assert good == [*range(20), *range(30, 40)]
    assert decoder.fault.fault == "damaged_packets"
    # the fault is told by the window that holds it alone
    for start, stop, fault in ((0, 600, None), (600, 1000, "damaged_packets"), (1000, 2000, None)):
        part, decoder = decode_all(
            damage(data, packets[20].pos + 4, packets[20].size - 4), "all", start * 10**6, stop * 10**6
        )
        assert (decoder.fault and decoder.fault.fault) == fault
        assert bool(part)


def test_sampled_frames_with_damage_say_so(make_video, decode_all):
    data = make_video(frames=40, size=(320, 192))
    with av.open(io.BytesIO(data)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][10]
    frames, _ = decode_all(damage(data, packet.pos + 4, packet.size - 4), "10")
    marks = Counter(frame.is_damaged for frame in frames)
    assert marks[False] >= 10
    assert all(row(frame)[3] is False for frame in frames if frame.timestamp_ns < 10 * 10**9 // 30)


def test_a_cut_file_keeps_what_is_there(make_video, faststart, probe_bytes, decode_all):
    whole = faststart(make_video(frames=60, size=(320, 192)))
    clean, _ = decode_all(whole)
    cut = whole[: len(whole) * 6 // 10]
    clip = probe_bytes(cut)
    frames, decoder = decode_all(cut)
    good = [frame for frame in frames if not frame.is_damaged]
    assert 20 <= len(good) < 60
    assert [row(frame) for frame in good] == [row(frame) for frame in clean[: len(good)]]
    assert [look(frame) for frame in good] == [look(frame) for frame in clean[: len(good)]]
    assert decoder.fault.fault == "truncated"
    assert f"{len(whole) - len(cut)} bytes are missing" in str(decoder.fault)
    assert abs(clip.frame_count - len(frames)) <= 1
    early, decoder = decode_all(cut, "all", 0, 300_000_000)
    assert len(early) == 9
    assert decoder.fault is None


def test_a_recording_that_begins_in_mid_stream(make_video, decode_all):
    data = make_video("mpegts", "libx264", frames=60, b_frames=2, size=(320, 192))
    with av.open(io.BytesIO(data)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    late = data[packets[4].pos // 188 * 188 :]
    # the tables at the front are repeated, so the rest is a stream of its own
    frames, decoder = decode_all(late)
    assert frames[0].is_keyframe
    assert frames[0].timestamp_ns == 0
    assert not any(frame.is_damaged for frame in frames)
    assert 45 <= len(frames) <= 56
    assert decoder.fault is None


def test_a_disk_that_fails_while_decoding(make_video, probe_bytes):
    data = make_video(frames=60, size=(320, 192))
    clip = probe_bytes(data)
    with av.open(io.BytesIO(data)) as container:
        middle = [packet for packet in container.demux(video=0) if packet.size][30].pos

    class Failing(io.BytesIO):
        broken = False

        def read(self, size=-1):
            if self.broken and middle < self.tell() < len(data) - 10_000:
                raise OSError(5, "Input/output error")
            return super().read(size)

    stream = Failing(data)
    with ClipDecoder(stream, clip) as decoder:
        frames = decoder.frames(Sampling.parse("all"))
        next(frames)
        stream.broken = True
        rest = list(frames)
    assert rest
    assert decoder.fault.fault == "unreadable"
    assert decoder.fault.retryable

    class Gone(io.BytesIO):
        def read(self, size=-1):
            raise OSError(size, "Gone")

    with pytest.raises(ClipError, match=r"clip\.mp4: reading failed \(Gone\)"):
        next(ClipDecoder(Gone(data), clip).frames(Sampling.parse("all")))


def test_a_file_that_was_replaced_since_probing(make_video, probe_bytes):
    clip = probe_bytes(make_video())
    with pytest.raises(ClipError, match=r"clip\.mp4: 0 bytes") as caught:
        next(ClipDecoder(io.BytesIO(b""), clip).frames(Sampling.parse("all")))
    assert caught.value.fault == "empty"


@pytest.mark.parametrize(("container", "codec", "options"), FORMS)
def test_any_damage_ends_in_frames_or_a_clip_error(make_video, decode_all, container, codec, options):
    data = make_video(container, codec, frames=16, size=(64, 64), **options)
    dice = random.Random(11)
    for _ in range(15):
        broken = bytearray(data)
        for _ in range(dice.choice([1, 10, 100])):
            broken[dice.randrange(len(data))] = dice.randrange(256)
        with contextlib.suppress(ClipError):
            frames, decoder = decode_all(bytes(broken[: dice.choice([len(data), dice.randrange(len(data))])]))
            assert decoder.damaged_frames == sum(frame.is_damaged for frame in frames)
            assert decoder.fault is not None or not decoder.damaged_frames


def test_packets_that_fail_leave_nothing_behind(make_video):
    """Times are held for containers without them alone: what is kept for each packet makes long clips slow."""
    data = bytearray(make_video(frames=60))
    first = data.index(b"mdat") + 2000
    data[first : data.index(b"moov") - 4] = bytes(data.index(b"moov") - 4 - first)
    with VideoReader(QuietReader(io.BytesIO(data)), triage(io.BytesIO(data), len(data))) as video:
        for packet, pts in video.packets():
            list(video.decode(packet, pts))
        assert video.refused > 30
        assert not video._held_ticks
