import hashlib
import io
import os
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from models.downloads import _HttpsRedirects, cache_folder, cached_file, fetch, is_offline, open_https
from models.errors import ModelFetchError

_DATA = bytes(range(256)) * 20_000  # 5 MB: more than one chunk


@pytest.fixture
def card(make_card, monkeypatch):
    monkeypatch.delenv("CLIPMILL_OFFLINE")
    other = hashlib.sha256(b"another export").hexdigest()
    return make_card(_DATA, url="https://example.org/net.onnx", bundled=None, also_sha256=[other])


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def _serving(data: bytes):
    return lambda _url: io.BytesIO(data)


def _no_connection(_url: str):
    raise urllib.error.URLError("no route to host")


def test_a_download_is_kept_and_not_repeated(card):
    steps = []
    path = fetch(card, open_url=_serving(_DATA), progress=lambda *step: steps.append(step))
    assert path == cache_folder() / f"fake-{card.sha256[:8]}.onnx"
    assert path.read_bytes() == _DATA
    assert steps[-1] == (len(_DATA), len(_DATA))
    assert len(steps) > 1
    assert _files(cache_folder()) == [path.name]
    assert fetch(card, open_url=_no_connection) == path
    assert fetch(card, offline=True) == path


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (_DATA[:-1] + b"!", "another file"),
        (_DATA + b"!", "more than the 5,120,000 bytes"),
        (_DATA[:-1], "ended after 5,119,999 of 5,120,000 bytes"),
        (b"", "ended after 0"),
    ],
)
def test_another_file_is_not_kept(card, data, message):
    with pytest.raises(ModelFetchError, match=message) as caught:
        fetch(card, open_url=_serving(data))
    assert "By hand: put the file of https://example.org/net.onnx" in str(caught.value)
    assert "--model demo" in str(caught.value)
    assert str(cache_folder()) in str(caught.value)
    assert _files(cache_folder()) == []


def test_an_endless_file_is_cut_off(card):
    class Endless(io.RawIOBase):
        served = 0

        def read(self, size: int = -1) -> bytes:
            self.served += size
            return bytes(size)

    endless = Endless()
    with pytest.raises(ModelFetchError, match="more than"):
        fetch(card, open_url=lambda _url: endless)
    assert endless.served == len(_DATA) + 1


def test_a_broken_connection_leaves_nothing(card):
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell():
                raise TimeoutError("timed out")
            return super().read(size)

    with pytest.raises(ModelFetchError, match="the download failed: timed out"):
        fetch(card, open_url=lambda _url: Broken(_DATA))
    with pytest.raises(ModelFetchError, match="no route to host"):
        fetch(card, open_url=_no_connection)
    assert _files(cache_folder()) == []


def test_an_interrupted_download_leaves_nothing(card):
    def interrupt(_url: str):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(card, open_url=interrupt)
    assert _files(cache_folder()) == []


def test_what_a_killed_download_left_does_not_count_and_goes_after_a_day(card):
    cache_folder().mkdir()
    old, young = (cache_folder() / name for name in (".fake-a.part", ".fake-b.part"))
    for stray in (old, young):
        stray.write_bytes(_DATA)
    a_day_ago = time.time() - 25 * 3600
    os.utime(old, (a_day_ago, a_day_ago))
    assert cached_file(card) is None
    fetch(card, open_url=_serving(_DATA))
    assert _files(cache_folder()) == [".fake-b.part", f"fake-{card.sha256[:8]}.onnx"]


@pytest.mark.parametrize("offline", [True, False])
def test_offline_says_what_to_do_by_hand(card, monkeypatch, offline):
    if not offline:
        monkeypatch.setenv("CLIPMILL_OFFLINE", "1")
    with pytest.raises(
        ModelFetchError, match=r"downloads are switched off\. By hand: put the file of"
    ) as caught:
        fetch(card, offline=offline, open_url=_serving(_DATA))
    assert card.sha256 in str(caught.value)


@pytest.mark.parametrize(("value", "offline"), [("", False), ("0", False), ("1", True)])
def test_the_offline_switch(monkeypatch, value, offline):
    monkeypatch.setenv("CLIPMILL_OFFLINE", value)
    assert is_offline() is offline


def test_a_file_put_there_by_hand_is_found_under_any_name(card):
    cache_folder().mkdir()
    (cache_folder() / "other.onnx").write_bytes(b"something else")
    (cache_folder() / "folder.onnx").mkdir()
    assert cached_file(card) is None
    (cache_folder() / "from a stick.onnx").write_bytes(b"another export")
    assert cached_file(card) == cache_folder() / "from a stick.onnx"


def test_a_damaged_file_in_the_cache_is_named(card):
    path = fetch(card, open_url=_serving(_DATA))
    path.write_bytes(_DATA[:-1])
    with pytest.raises(ModelFetchError, match="delete it and run again") as caught:
        fetch(card, open_url=_serving(_DATA))
    assert str(path) in str(caught.value)


def test_a_cache_that_cannot_be_written_or_read(card, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("CLIPMILL_MODELS", str(tmp_path / "file" / "cache"))
    with pytest.raises(ModelFetchError, match=r"cannot (write|read).*Not a directory"):
        fetch(card, open_url=_serving(_DATA))
    monkeypatch.setenv("CLIPMILL_MODELS", "x" * 300)
    with pytest.raises(ModelFetchError, match="File name too long"):
        fetch(card, open_url=_serving(_DATA))


def test_the_cache_is_the_users_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv("CLIPMILL_MODELS")
    assert cache_folder().parts[-2:] == ("clipmill", "models")


def test_only_https_is_opened_and_followed():
    with pytest.raises(urllib.error.URLError, match="not https"):
        open_https("file:///etc/passwd")
    redirects = _HttpsRedirects()
    request = urllib.request.Request("https://example.org/a")
    with pytest.raises(urllib.error.URLError, match="which is not https"):
        redirects.redirect_request(request, None, 302, "Found", {}, "http://example.org/b")
    followed = redirects.redirect_request(request, None, 302, "Found", {}, "https://example.org/b")
    assert followed is not None
    assert followed.full_url == "https://example.org/b"
