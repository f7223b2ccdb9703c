"""How Beam's file systems reach object stores: with which flags, over which connections, and with which errors."""

import errno
import io
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import copy
from functools import cache
from importlib.util import find_spec
from typing import Any, BinaryIO, Final

STORAGE_FLAGS: Final = (
    "s3_endpoint_url",
    "s3_region_name",
    "s3_api_version",
    "s3_verify",
    "s3_disable_ssl",
    "project",
    "impersonate_service_account",
    "no_auth",
    "blob_service_endpoint",
    "azure_managed_identity_client_id",
    "hdfs_host",
    "hdfs_port",
    "hdfs_user",
    "hdfs_full_urls",
)
"""Beam's flags that say where storage is and as whom it is used. No secret is among them."""

SECRET_FLAGS: Final = (
    "s3_access_key_id",
    "s3_secret_access_key",
    "s3_session_token",
    "azure_connection_string",
)
"""Beam's flags that are secrets: a command line is seen by every process of a machine, and by a runner's log."""

WHO_ASKS: Final = re.compile(r"(?<=://)[^/?#\s\"']*@")
"""User and password in an address; libraries repeat the address of a store that does not answer."""

_ERRNOS: Final = {404: errno.ENOENT, 403: errno.EACCES}
"""By HTTP's status, what a local file would say."""

BLOCK_BYTES: Final = 4 << 20
"""What is fetched at a time: it costs about as much as the time to a store's first byte."""

StorageFlags = tuple[str, ...]
"""Flags of `STORAGE_FLAGS` as a command line has them."""


def storage_flags(options: Mapping[str, Any]) -> StorageFlags:
    """What another process needs to know to reach the same storage.

    Args:
        options: Beam's options by name.

    >>> storage_flags({"s3_region_name": "eu-west-1", "no_auth": False, "s3_disable_ssl": True, "runner": "x"})
    ('--s3_region_name=eu-west-1', '--s3_disable_ssl')
    """
    told = ((name, options.get(name)) for name in STORAGE_FLAGS)
    return tuple(f"--{name}" if value is True else f"--{name}={value}" for name, value in told if value)


def reach(flags: StorageFlags) -> None:
    """Makes this process reach URLs by these flags.

    Args:
        flags: as `storage_flags` gives them.
    """
    file_systems().set_options(_options(flags))


@cache
def _options(flags: StorageFlags) -> Any:
    """Beam's options; for the same flags the same object, by which a client is known again."""
    from apache_beam.options.pipeline_options import PipelineOptions

    return PipelineOptions(list(flags))


def file_systems() -> Any:
    """Beam's file systems, imported only where a URL needs them: processes that read local files start faster."""
    from apache_beam.io.aws.clients.s3 import boto3_client
    from apache_beam.io.filesystems import FileSystems

    # Beam makes a client for each call: a tenth of a second of processor time, a new connection, and
    # one more question to whatever gives out credentials
    if boto3_client.Client is not _s3_client:
        _clients.make = boto3_client.Client
        boto3_client.Client = _s3_client  # type: ignore[assignment,misc]
        if FileSystems._pipeline_options is None:  # noqa: SLF001 - commands without a pipeline have set none
            FileSystems.set_options(_options(()))
    return FileSystems


class _Clients:
    """The client that S3's clients of this process are copies of.

    Attributes:
        make: Beam's own class of them.
    """

    make: Callable[[Any], Any]

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._options: object = None
        self._pattern: Any = None

    def one(self, options: Any) -> Any:
        """A client for one call or one stream; connections are shared by all with the same options."""
        with self._lock:
            if self._pattern is None or self._options is not options:
                self._options, self._pattern = options, self.make(options)
            # beside its connections a client knows only the stream that it reads, and the pattern reads none
            return copy(self._pattern)


_clients: Final = _Clients()


def _s3_client(options: Any) -> Any:
    return _clients.one(options)


def knock(uri: str) -> None:
    """Makes sure that a URL can be reached, without the minutes of waiting that Beam spends on a wrong address.

    Args:
        uri: anything below what should be reached.

    Raises:
        ValueError: URLs of that kind are not known, or their library is not installed.
        OSError: there is no such bucket, or nothing there that answers to us.
    """
    try:
        filesystem = file_systems().get_filesystem(uri)
    except ValueError as error:
        raise ValueError(
            f"{uri}: such URLs are not known, or their library is missing (gs:// needs clipmill[gcp])"
        ) from error
    if filesystem.scheme() != "s3":
        return
    from apache_beam.io.aws.clients.s3.messages import ListRequest
    from apache_beam.io.aws.s3io import parse_s3_path

    if find_spec("boto3") is None:
        raise ValueError(f"{uri}: URLs of S3 need boto3; install clipmill[aws]")
    bucket, prefix = parse_s3_path(f"{uri.rstrip('/')}/", object_optional=True)
    try:
        with os_errors(uri):
            _s3_client(filesystem._options).list(ListRequest(bucket=bucket, prefix=prefix))  # noqa: SLF001 - Beam has no other way to one request without its retries
    except FileNotFoundError as error:
        if "NoSuchBucket" in str(error):
            raise


@contextmanager
def os_errors(uri: str) -> Iterator[None]:
    """Makes OSErrors of what storage libraries raise, as local files do.

    Args:
        uri: what was asked for.

    Raises:
        OSError: the library failed; FileNotFoundError and PermissionError where it was that.
    """
    try:
        yield
    except Exception as error:
        cause = error
        if details := getattr(error, "exception_details", None):
            cause = next(iter(details.values()))
        if isinstance(cause, (ValueError, FileNotFoundError)):
            raise
        code = _ERRNOS.get(getattr(cause, "code", None) or 0, getattr(cause, "errno", None) or errno.EIO)
        reason = str(getattr(cause, "message", None) or getattr(cause, "strerror", None) or cause)
        line = (reason.splitlines() or [type(cause).__name__])[0]
        raise OSError(code, WHO_ASKS.sub("", line), uri) from error


class RemoteStream(io.RawIOBase):
    """A file of an object store: few requests however its reader jumps, and errors that are OSErrors.

    A request fetches from some place on, as far as reading goes. So a seek is only noted (demuxers seek to the
    end to know the length), the last block is kept, and what is a few megabytes ahead is read over.

    Args:
        stream: Beam's.
        uri: its place.
    """

    def __init__(self, stream: BinaryIO, uri: str) -> None:
        super().__init__()
        self._uri = uri
        # Beam's own buffer of 16 MiB is lost by some seeks, and would be filled again for a few bytes of an index
        self._stream = stream.detach() if isinstance(stream, io.BufferedReader) else stream
        with os_errors(uri):
            self._size = self._stream.seek(0, io.SEEK_END)
        self._at = 0
        self._block = b""
        self._block_at = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Reads up to `size` bytes, fewer only at the end."""
        left = max(0, self._size - self._at)
        wanted = left if size is None or size < 0 else min(size, left)
        inside = self._at - self._block_at
        kept = self._block[inside : inside + wanted] if inside >= 0 else b""
        self._at += len(kept)
        if len(kept) == wanted:
            return kept
        with os_errors(self._uri):
            fetched = self._fetch(max(wanted - len(kept), min(BLOCK_BYTES, self._size - self._at)))
        self._block, self._block_at = fetched[-BLOCK_BYTES:], self._at + max(0, len(fetched) - BLOCK_BYTES)
        fetched = fetched[: wanted - len(kept)]
        self._at += len(fetched)
        return kept + fetched

    def _fetch(self, wanted: int) -> bytes:
        """Bytes from here on."""
        ahead = self._at - self._stream.tell()
        if not 0 <= ahead <= BLOCK_BYTES:
            self._stream.seek(self._at)
            ahead = 0
        parts: list[bytes] = []
        missing = ahead + wanted
        while missing and (part := self._stream.read(missing)):
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)[ahead:]

    def readinto(self, buffer: Any, /) -> int:
        """Reads up to the buffer's length."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def readall(self) -> bytes:
        """Reads what is left."""
        return self.read()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Moves; nothing is asked of the store."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        """The position."""
        return self._at

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def close(self) -> None:
        """Frees its connection."""
        if not self.closed:
            self._stream.close()
        super().close()
