"""Watching what else is opened while a file is read: other files (Linux alone can tell) and addresses."""

import contextlib
import ctypes
import os
import socket
import sys
from pathlib import Path
from typing import Self

_IN_OPEN = 0x20

CAN_WATCH = sys.platform == "linux"


class Bait:
    """A file and an address that nobody may open.

    Attributes:
        path: the file.
        port: the address's port on 127.0.0.1.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.setblocking(False)
        self.port: int = self._server.getsockname()[1]
        libc = ctypes.CDLL(None, use_errno=True)
        self._events = libc.inotify_init1(os.O_NONBLOCK)
        assert self._events >= 0
        assert libc.inotify_add_watch(self._events, os.fsencode(path), _IN_OPEN) >= 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._server.close()
        os.close(self._events)

    def was_opened(self) -> bool:
        """Whether the file was opened since the last question."""
        with contextlib.suppress(BlockingIOError):
            return bool(os.read(self._events, 1 << 16))
        return False

    def was_called(self) -> bool:
        """Whether anybody connected to the address since the last question."""
        with contextlib.suppress(BlockingIOError):
            self._server.accept()[0].close()
            return True
        return False
