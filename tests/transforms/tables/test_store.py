import pytest

from transforms.storage import RemoteStore, open_store
from transforms.tables.store import TEMPORARY_SUFFIX, LocalStore


@pytest.fixture(params=[LocalStore, RemoteStore])
def store(request, tmp_path):
    return request.param(str(tmp_path))


def test_files_come_back(store):
    store.write("table/a.parquet", b"one")
    store.write("table/a.parquet", b"other")
    assert store.read("table/a.parquet") == b"other"
    with store.open("table/a.parquet") as stream:
        stream.seek(2)
        assert stream.read() == b"her"
    assert store.sizes("table") == {"a.parquet": 5}


def test_what_is_not_there_is_not_found(store):
    with pytest.raises(FileNotFoundError):
        store.read("table/none.parquet")
    store.delete("table/none.parquet")
    assert store.sizes("table") == {}


def test_deleting(store):
    store.write("table/a.parquet", b"one")
    store.delete("table/a.parquet")
    assert store.sizes("table") == {}


def test_a_failed_write_leaves_the_old_file_and_no_stray(tmp_path):
    store = LocalStore(tmp_path)
    store.write("table/a", b"old")
    with pytest.raises(TypeError):
        store.write("table/a", "text is not bytes")
    assert store.read("table/a") == b"old"
    assert list(store.strays()) == []


def test_strays_of_killed_runs_are_found_and_files_of_others_are_not(tmp_path):
    store = LocalStore(tmp_path)
    store.write("runs/1/shards/a.json", b"{}")
    name = f".a.json.{'0af' * 10}ab{TEMPORARY_SUFFIX}"
    strays = [tmp_path / folder / name for folder in ("runs/1/shards", "frames", "exports", "")]
    foreign = [tmp_path / ".notes.tmp", tmp_path / "mine" / name]
    for path in (*strays, *foreign):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert set(store.strays()) == set(strays)
    assert store.sizes("runs/1/shards") == {"a.json": 2}
    assert list(LocalStore(tmp_path / "none").strays()) == []


def test_urls_and_paths_are_told_apart(tmp_path):
    assert isinstance(open_store("gs://bucket/data"), RemoteStore)
    assert isinstance(open_store(str(tmp_path)), LocalStore)


def test_taking_over_links_and_never_writes_into_the_other(tmp_path):
    base, store = LocalStore(tmp_path / "base"), LocalStore(tmp_path / "new")
    base.write("frames/a.parquet", b"rows")
    for _ in range(2):
        store.take_over(base, "frames/a.parquet")
        assert (tmp_path / "new" / "frames" / "a.parquet").samefile(
            tmp_path / "base" / "frames" / "a.parquet"
        )
    assert [path.name for path in (tmp_path / "new" / "frames").iterdir()] == ["a.parquet"]
    store.write("frames/a.parquet", b"other rows")
    assert base.read("frames/a.parquet") == b"rows"


@pytest.mark.parametrize(("kind", "other"), [(RemoteStore, LocalStore), (LocalStore, RemoteStore)])
def test_taking_over_copies_where_it_cannot_link(tmp_path, kind, other):
    base, store = other(str(tmp_path / "base")), kind(str(tmp_path / "new"))
    base.write("frames/a.parquet", b"rows")
    store.take_over(base, "frames/a.parquet")
    assert store.read("frames/a.parquet") == b"rows"
    with pytest.raises(FileNotFoundError):
        store.take_over(base, "frames/b.parquet")
