"""`clipmill view`: a data set in the browser."""

import argparse
import os
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from pipelines.blurring import add_blur_arguments, blur_asked
from pipelines.folders import local_folder
from pipelines.outcome import JobError, Outcome, UsageError

HELP = "look at the clips of a data set in the browser, with what was labelled drawn over them"
EXAMPLES = """
clipmill view out
clipmill view out --port 8765 --no-browser
clipmill view out --blur faces,plates
"""

_LAST_PORT = 65_535


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options."""
    parser.add_argument("dataset", type=local_folder, metavar="DIR", help="the data set")
    parser.add_argument(
        "--port",
        type=int,
        default=0,
        metavar="N",
        help="port of 127.0.0.1 to listen on; links stay good with the same one (default: a free one)",
    )
    parser.add_argument("--no-browser", action="store_true", help="print the address, open nothing")
    add_blur_arguments(parser, is_default=False)


def run(arguments: argparse.Namespace) -> Outcome:
    """Serves until it is interrupted."""
    if not 0 <= arguments.port <= _LAST_PORT:
        raise UsageError(f"--port {arguments.port}: a port is a number up to {_LAST_PORT}; 0 is a free one")
    try:
        import uvicorn

        from pipelines.viewer import viewer_app
        from pipelines.viewer_guard import KEY
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in {"starlette", "uvicorn"}:
            raise
        raise UsageError(
            f"the viewer needs {error.name}, which is not installed: pip install 'clipmill[view]'"
        ) from error

    from pyarrow import ArrowException

    from pipelines.interrupts import interrupts
    from transforms import isolated
    from transforms.tables.finished import UnfinishedError
    from transforms.tables.queries import NotADatasetError
    from transforms.tables.store import LocalStore
    from transforms.viewing.drives import plays
    from transforms.viewing.viewed_set import ChangedError, DamagedError, ViewedSet

    blur = blur_asked(arguments)
    root: Path = arguments.dataset.absolute()
    try:
        viewed = ViewedSet(LocalStore(root), arguments.dataset)
    except NotADatasetError as error:
        raise UsageError(str(error)) from error
    except (UnfinishedError, ChangedError) as error:
        raise JobError(str(error)) from error
    except DamagedError as error:
        raise JobError(f"{arguments.dataset}: {error}") from error
    except ArrowException as error:
        raise JobError(f"{arguments.dataset}: cannot be read ({error}); see clipmill verify") from error

    with _listening(arguments.port) as listener:
        port: int = listener.getsockname()[1]
        key = secrets.token_urlsafe(16)
        address = f"http://127.0.0.1:{port}/?{KEY}={key}"
        server = uvicorn.Server(
            uvicorn.Config(
                viewer_app(viewed, root.name, key, port, blur),
                lifespan="off",
                log_config=None,
                server_header=False,
                timeout_graceful_shutdown=1,
                ws="none",
            )
        )
        print(f"clipmill view: {address}  (Ctrl-C ends it)", file=sys.stderr, flush=True)
        if any(plays(clip, as_frames=bool(blur.kinds)) == "frames" for clip in viewed.clips.values()):
            isolated.start(1)
        # an interrupt is how a viewer ends; the server first finishes what it is answering
        with (
            suppress(KeyboardInterrupt),
            interrupts(),
            nullcontext() if arguments.no_browser else _opened(address),
        ):
            server.run(sockets=[listener])
    data = {"dataset": str(arguments.dataset), "address": address, "clips": len(viewed.clips)}
    return Outcome(data, ("the viewer has ended",))


def _listening(port: int) -> socket.socket:
    """A socket of the loopback interface alone."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except OSError as error:
        raise JobError(
            f"port {port} cannot be listened on ({error.strerror}): name another with --port, or leave it out"
        ) from error


@contextmanager
def _opened(address: str) -> Iterator[None]:
    """Opens the address in the browser by way of a page that only its user can read.

    Other users of the machine see the arguments of the browser's process, and the address holds the key.
    """
    try:
        folder = TemporaryDirectory(prefix="clipmill-view-")
    except OSError as error:
        raise JobError(
            f"no temporary file can be made ({error.strerror}): open the printed address, with --no-browser"
        ) from error
    with folder as made:
        page = Path(made) / "view.html"
        # letters, digits and -_.:/?= alone: nothing to escape
        content = (
            '<!DOCTYPE html><meta name="referrer" content="no-referrer">'
            f'<meta http-equiv="refresh" content="0; url={address}"><title>clipmill view</title>'
        )
        with os.fdopen(os.open(page, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as sink:
            sink.write(content)
        threading.Thread(target=webbrowser.open, args=(page.as_uri(),), daemon=True).start()
        yield
