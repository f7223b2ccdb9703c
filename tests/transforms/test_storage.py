"""A data set in a bucket, on a server that speaks S3."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

pytest.importorskip("moto", reason="the server is moto's, of the extra `dev`")

from s3_server import CREDENTIALS, S3Server

from transforms import access
from transforms.access import BLOCK_BYTES, knock, reach
from transforms.storage import RemoteStore, open_store, open_stream

BUCKET = "cars"


@pytest.fixture(scope="module")
def server():
    server = S3Server(BUCKET)
    yield server
    server.stop()


@pytest.fixture
def reached(server, monkeypatch):
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    reach(tuple(server.flags))
    yield
    reach(())


@pytest.fixture
def store(server, reached):  # noqa: ARG001 - it leads there
    store = open_store(f"s3://{BUCKET}/labels")
    for name in server.objects("labels"):
        store.delete(name)
    del server.requests[:]
    return store


def test_files_are_written_read_listed_and_deleted(store):
    assert isinstance(store, RemoteStore)
    assert store.sizes("frames") == {}
    store.write("frames/a.parquet", b"one")
    store.write("frames/a.parquet", b"other")
    store.write("frames/deeper/b.parquet", b"not directly in it")
    store.write("frames/.hidden", b"a temporary file")
    assert store.sizes("frames") == {"a.parquet": 5}
    assert store.read("frames/a.parquet") == b"other"
    store.delete("frames/a.parquet")
    store.delete("frames/a.parquet")
    assert store.sizes("frames") == {}
    with pytest.raises(FileNotFoundError):
        store.read("frames/a.parquet")
    with pytest.raises(FileNotFoundError):
        store.open("frames/a.parquet")


def test_nothing_is_asked_twice(store, server):
    store.write("clips/a", b"x")
    assert [request.method for request in server.requests] == ["POST", "PUT", "POST"]
    del server.requests[:]
    store.read("clips/a")
    assert [request.method for request in server.requests] == ["HEAD", "GET"]
    del server.requests[:]
    with pytest.raises(FileNotFoundError):
        store.read("clips/b")
    store.delete("clips/b")
    store.sizes("clips")
    assert [request.method for request in server.requests] == ["HEAD", "POST", "GET"]


def test_large_files_are_read_at_any_place_by_few_requests(store, server):
    content = os.urandom(3 * BLOCK_BYTES)
    store.write("clips/a", content)
    del server.requests[:]
    with open_stream(f"s3://{BUCKET}/labels/clips/a") as stream:
        assert stream.read(100) == content[:100]
        stream.seek(-50, 2)
        assert stream.read() == content[-50:]
        stream.seek(48)
        assert stream.read() == content[48:]
    assert [request.method for request in server.requests] == ["HEAD", "GET", "GET", "GET"]


def test_an_upload_that_was_cut_short_cannot_be_seen(store, server):
    client = server.client
    key = "labels/frames/a.parquet"
    begun = client.create_multipart_upload(Bucket=BUCKET, Key=key)
    client.upload_part(Bucket=BUCKET, Key=key, UploadId=begun["UploadId"], PartNumber=1, Body=b"part")
    assert store.sizes("frames") == {}
    with pytest.raises(FileNotFoundError):
        store.read("frames/a.parquet")
    store.write("frames/a.parquet", b"whole")
    assert store.read("frames/a.parquet") == b"whole"


def test_threads_share_connections_and_not_what_they_read(store, server, monkeypatch):
    made = []
    make = access._clients.make
    monkeypatch.setattr(access._clients, "make", lambda options: made.append(options) or make(options))
    reach((*server.flags, "--s3_api_version=2006-03-01"))
    contents = {f"clips/{number}": bytes([number]) * 3_000_000 for number in range(8)}
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(store.write, contents, contents.values()))
        assert list(threads.map(store.read, contents)) == list(contents.values())
    assert len(made) == 1


@pytest.mark.usefixtures("reached")
def test_a_bucket_that_is_not_there_is_told():
    knock(f"s3://{BUCKET}/nothing/here/yet")
    with pytest.raises(FileNotFoundError, match="NoSuchBucket"):
        knock("s3://no-such-bucket/labels")
    with pytest.raises(OSError, match="NoSuchBucket"):
        open_store("s3://no-such-bucket/labels").write("a", b"x")


@pytest.mark.usefixtures("reached")
def test_a_server_that_is_not_there_is_told_at_once():
    reach(("--s3_endpoint_url=http://127.0.0.1:9", "--s3_region_name=here"))
    with pytest.raises(OSError, match="Could not connect"):
        knock(f"s3://{BUCKET}/labels")
