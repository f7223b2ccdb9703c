import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.access import BLOCK_BYTES, RemoteStream, os_errors, storage_flags

SIZE = 3 * BLOCK_BYTES + 12_345
CONTENT = bytes(range(251)) * (SIZE // 251 + 1)
CONTENT = CONTENT[:SIZE]


class Fetched(io.BytesIO):
    """A store's file that counts how often reading starts anew and how much is read."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.jumps = 0
        self.read_bytes = 0
        self._expected = -1

    def read(self, size: int | None = -1, /) -> bytes:
        self.jumps += self.tell() != self._expected
        data = super().read(size)
        self._expected = self.tell()
        self.read_bytes += len(data)
        return data


class ByteByByte(io.BytesIO):
    """A store that gives less than it is asked for."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(-1 if size is None or size < 0 else min(size, 1 + size // 2))


PLACES = st.integers(0, SIZE + 10) | st.sampled_from([0, BLOCK_BYTES, 2 * BLOCK_BYTES, SIZE - 1, SIZE])
SIZES = st.integers(0, 70_000) | st.sampled_from([-1, BLOCK_BYTES, BLOCK_BYTES + 1, 2 * BLOCK_BYTES])


@given(st.lists(st.tuples(PLACES, SIZES), max_size=6), st.sampled_from([Fetched, ByteByByte]))
def test_it_reads_what_the_file_holds(steps, kind):
    expected = io.BytesIO(CONTENT)
    with RemoteStream(kind(CONTENT), "s3://b/x") as stream:
        for place, size in steps:
            assert stream.seek(place) == expected.seek(place)
            assert stream.read(size) == expected.read(size)
            assert stream.tell() == expected.tell()


def test_a_demuxers_jumps_are_three_requests():
    source = Fetched(CONTENT)
    with RemoteStream(source, "s3://b/x") as stream:
        stream.read(64)
        index_at = stream.seek(-1000, io.SEEK_END)
        stream.read(16)
        stream.seek(index_at)
        stream.read()
        stream.seek(0, io.SEEK_END)
        stream.seek(48)
        for _ in range(BLOCK_BYTES // 32_768 * 2):
            stream.read(32_768)
            # sound that is not read lies between pictures
            stream.seek(500, io.SEEK_CUR)
    assert source.jumps == 3
    assert source.read_bytes < SIZE + 2 * BLOCK_BYTES


class StatusError(Exception):
    def __init__(self, message: str, code: int | None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


@pytest.mark.parametrize(
    ("code", "kind"), [(404, FileNotFoundError), (403, PermissionError), (500, OSError), (None, OSError)]
)
def test_a_librarys_error_is_one_of_the_systems(code, kind):
    with pytest.raises(kind, match="why it failed") as found, os_errors("s3://b/x"):
        raise StatusError("why it failed\nand where", code)
    assert found.value.filename == "s3://b/x"
    assert found.value.strerror == "why it failed"


def test_no_flag_of_storage_is_a_secret():
    every = {
        "s3_endpoint_url": "http://localhost:9000",
        "s3_secret_access_key": "hidden",
        "s3_disable_ssl": True,
        "hdfs_full_urls": False,
        "project": None,
        "runner": "FlinkRunner",
    }
    assert storage_flags(every) == ("--s3_endpoint_url=http://localhost:9000", "--s3_disable_ssl")


def test_a_password_in_an_address_is_not_repeated():
    told = 'Could not connect to the endpoint URL: "http://somebody:hidden@localhost:1/cars?prefix=a@b"'
    with pytest.raises(OSError, match="Could not connect") as found, os_errors("s3://cars/a"):
        raise RuntimeError(told)
    assert found.value.strerror == told.replace("somebody:hidden@", "")
