import hashlib
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from transforms.clips.errors import ClipError
from transforms.clips.streams import HashingReader, QuietReader


class Unseekable(io.BytesIO):
    fails = False

    def seek(self, offset, whence=0):
        if self.fails:
            raise OSError("gone")
        return super().seek(offset, whence)


@given(
    st.binary(min_size=1, max_size=5000),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 2000)), max_size=20),
)
@settings(max_examples=50)
def test_the_digest_is_the_files_whatever_was_read(data, reads):
    reader = HashingReader(io.BytesIO(data))
    for offset, size in reads:
        reader.seek(offset)
        assert reader.read(size) == data[offset : offset + size]
    assert reader.finish() == (hashlib.sha256(data).hexdigest(), len(data))


def test_far_jumps_are_not_filled_but_digested_at_the_end():
    data = bytes(range(256)) * 20_000
    reader = HashingReader(io.BytesIO(data))
    reader.read(100)
    reader.seek(5_000_000)
    assert reader.read(10) == data[5_000_000:5_000_010]
    assert reader._digested == 100
    assert reader.finish()[0] == hashlib.sha256(data).hexdigest()


def test_failing_streams():
    stream = Unseekable(b"abc")
    reader = HashingReader(stream)
    stream.fails = True
    assert reader.seek(1) == -1
    with pytest.raises(ClipError, match="OSError"):
        reader.finish()
    quiet = QuietReader(stream)
    assert quiet.seek(0) == -1
    assert quiet.seek(0) == -1
    assert quiet.read(1) == b""
    with pytest.raises(ClipError) as caught:
        quiet.check()
    assert caught.value.fault == "unreadable"
    assert caught.value.retryable


def test_failed_reads_look_like_the_end():
    class Broken(io.BytesIO):
        def read(self, size=-1):
            raise OSError(5, f"no {size} bytes")

    reader = QuietReader(Broken(b"abc"))
    assert reader.tell() == 0
    assert reader.read(3) == b""
    with pytest.raises(ClipError, match="no 3 bytes"):
        reader.check()
