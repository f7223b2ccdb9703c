"""The viewer's server: whom it answers, what it hands out, and what it refuses."""

import asyncio
import http.client
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from viewed_sets import make_viewed_set
from viewer_servers import viewer

from pipelines.cli import main
from pipelines.viewer import viewer_app
from transforms.labels.privacy.settings import NO_BLUR

SECOND = 1_000_000_000
PIECE = 2 << 20


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    return make_viewed_set(tmp_path_factory.mktemp("viewed"), 6.0)


@pytest.fixture(scope="module")
def running(made):
    with viewer(made) as started:
        yield started


@pytest.fixture(scope="module")
def ask(running):
    """Asks as a browser that knows the key; paths go out as they are, unnormalised."""
    port = int(running.origin.rpartition(":")[2])

    def request(path: str, headers: dict[str, str] | None = None, method: str = "GET"):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        connection.request(
            method, path, headers={"Cookie": f"clipmill-{port}={running.key}", **(headers or {})}
        )
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body

    return request


def test_the_printed_address_lets_in_and_the_key_leaves_the_address(running, ask):
    status, headers, _ = ask(f"/?key={running.key}", {"Cookie": ""})
    assert (status, headers["location"]) == (303, "/")
    assert "httponly" in headers["set-cookie"].lower()
    assert "samesite=lax" in headers["set-cookie"].lower()


@pytest.mark.parametrize("path", ["/", "/?key=wrong", "/api/dataset", "/clips/front-1", "/page/viewer.js"])
def test_without_the_key_nothing_is_handed_out(ask, path):
    status, _, body = ask(path, {"Cookie": ""})
    assert status == 403
    assert b"clipmill view printed" in body


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1", "127.0.0.1:1", ""])
def test_other_names_for_this_machine_are_refused(ask, host):
    assert ask("/api/dataset", {"Host": host})[0] == 421


@pytest.mark.parametrize(("port", "status"), [(80, 303), (81, 421)])
def test_browsers_leave_port_80_out(port, status):
    answers = []
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"key=k",
        "headers": [(b"host", b"localhost")],
    }

    async def send(message):
        answers.append(message)

    # nothing of the data set is asked for
    # in a thread of its own: a browser of other tests may have an event loop in this one
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, viewer_app(None, "out", "k", port, NO_BLUR)(scope, None, send)).result()
    assert answers[0]["status"] == status


def test_the_page_may_reach_nothing_but_its_own_server(ask):
    status, headers, body = ask("/")
    assert status == 200
    assert b"<title>clipmill view</title>" in body
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert b"style=" not in body


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/clips/../../etc/passwd",
        "/clips/..%2F..%2F..%2Fetc%2Fpasswd",
        "/clips/%2e%2e/%2e%2e/etc/passwd",
        "/clips//etc/passwd",
        "/clips/%2Fetc%2Fpasswd",
        "/clips/front.mp4",
        "/clips/secret.mp4",
        "/clips/front-1/../../../secret.mp4",
        "/clips/front-1%00",
        "/page/../viewed_set.py",
        "/page/..%2F..%2Fviewed_set.py",
        "/page/%2e%2e%2fviewer.py",
        "/api/clips/..%2F..%2Fetc/window?start_ns=0&stop_ns=1",
    ],
)
def test_nothing_but_clips_and_the_page_is_handed_out(made, ask, path):
    (made.parent / "clips" / "secret.mp4").write_bytes(b"not in the data set")
    status, _, body = ask(path)
    assert status == 404
    assert b"root:" not in body
    assert b"not in the data set" not in body
    assert b"import" not in body


def test_ranges_are_answered_in_part(made, ask):
    whole = (made.parent / "clips" / "front.mp4").read_bytes()
    status, headers, body = ask("/clips/front-1", {"Range": "bytes=100-199"})
    assert (status, body) == (206, whole[100:200])
    assert headers["content-range"] == f"bytes 100-199/{len(whole)}"
    assert headers["content-type"] == "video/mp4"
    status, _, body = ask("/clips/front-1", {"Range": "bytes=-50"})
    assert (status, body) == (206, whole[-50:])
    assert ask("/clips/front-1", {"Range": f"bytes={len(whole)}-"})[0] == 416
    # a browser that asks for all the rest gets a piece, and the connection is free again
    assert len(whole) > PIECE
    assert ask("/clips/front-1", {"Range": "bytes=0-"})[2] == whole[:PIECE]
    status, headers, body = ask("/clips/front-1")
    assert (status, headers["accept-ranges"], body) == (200, "bytes", whole)


def test_what_browsers_cannot_play_comes_as_stills(ask):
    assert ask("/clips/old-1")[0] == 404
    status, headers, body = ask(f"/clips/old-1/still?at_ns={SECOND}")
    assert (status, headers["content-type"], headers["x-timestamp-ns"]) == (200, "image/jpeg", str(SECOND))
    assert body.startswith(b"\xff\xd8")


@pytest.mark.parametrize(
    "query",
    ["", "start_ns=0", "start_ns=-1&stop_ns=5", "start_ns=0&stop_ns=1e9", f"start_ns=0&stop_ns={10**30}"],
)
def test_windows_that_make_no_sense_are_refused(ask, query):
    status, _, body = ask(f"/api/clips/front-1/window?{query}")
    assert status == 400
    assert "error" in json.loads(body)


def test_rows_are_handed_out_as_json(ask):
    assert [one["drive_id"] for one in json.loads(ask("/api/dataset")[2])["drives"]] == ["drive", "old"]
    assert json.loads(ask("/api/clips/back-1")[2]) == {
        "clip_id": "back-1",
        "drive_id": "drive",
        "camera": "back",
    }
    kinds = {one["kind"] for one in json.loads(ask("/api/drives/drive/jumps")[2])["jumps"]}
    assert kinds == {"failure", "braking", "close"}
    assert ask("/api/drives/none")[0] == 404
    assert ask("/api/dataset", method="POST")[0] == 405


def test_a_clip_that_vanishes_or_changes_is_told(made, ask):
    path = made.parent / "clips" / "back.mp4"
    content = path.read_bytes()
    try:
        path.write_bytes(content + b"more")
        assert ask("/clips/back-1")[0] == 404
        path.unlink()
        status, _, body = ask("/clips/back-1")
        assert status == 404
        assert json.loads(body)["error"] == "back.mp4: the clip is no longer where it was labelled"
        path.mkdir()
        assert ask("/clips/back-1")[0] == 404
        path.rmdir()
    finally:
        path.write_bytes(content)
    assert ask("/clips/front-1")[0] == 200


def test_a_damaged_table_is_told(made, ask):
    path = made / "detections" / "drive.parquet"
    content = path.read_bytes()
    try:
        path.write_bytes(b"no parquet")
        status, _, body = ask("/api/clips/front-1/window?start_ns=0&stop_ns=1000000000")
    finally:
        path.write_bytes(content)
    assert status == 500
    assert json.loads(body)["error"].startswith("detections/drive.parquet: cannot be read (")


def test_the_key_is_not_among_the_arguments_of_the_browser(made, tmp_path):
    told = tmp_path / "told"
    browser = tmp_path / "browser"
    browser.write_text(
        "#!/bin/sh\n"
        'page="${1#file://}"; part="$0.part"\n'
        'echo "$@" > "$part"; stat -c %a "$page" "$(dirname "$page")" >> "$part"; cat "$page" >> "$part"\n'
        f'mv "$part" "{told}"\n'
    )
    browser.chmod(0o700)
    with viewer(made, browser=f"{browser} %s") as started:
        deadline = time.monotonic() + 60
        while not told.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        address, of_page, of_folder, page = told.read_text().splitlines()
        assert (of_page, of_folder) == ("600", "700")
        assert started.key not in address
        assert f'content="0; url={started.address}"' in page
        path = Path(address.removeprefix("file://"))
        assert path.is_file()
    assert not path.parent.exists()


def test_only_the_loopback_interface_listens(running):
    port = int(running.origin.rpartition(":")[2])
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)} - {
        "127.0.0.1"
    }
    for address in others:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection((address, port), timeout=5)


def test_what_cannot_be_viewed_is_said_in_one_line(made, tmp_path, capsys):
    assert main(["view", str(tmp_path), "--no-browser"]) == 2
    assert "no data set here" in capsys.readouterr().err
    assert main(["view", str(made), "--port", "70000"]) == 2
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["view", str(made), "--no-browser", "--port", str(port)]) == 1
    assert f"port {port} cannot be listened on" in capsys.readouterr().err


def test_a_missing_extra_is_named(made, monkeypatch, capsys):
    monkeypatch.setitem(__import__("sys").modules, "uvicorn", None)
    assert main(["view", str(made), "--no-browser"]) == 2
    assert "pip install 'clipmill[view]'" in capsys.readouterr().err
