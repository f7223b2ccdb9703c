import json

import pyarrow.parquet as pq
import pytest
from golden_sets import unpack_schema_2
from running import digests

from transforms.tables.checks import find_problems
from transforms.tables.commits import committed_shards, read_commit
from transforms.tables.migrating import Migration, MigrationError, migrate
from transforms.tables.queries import NotADatasetError, connect
from transforms.tables.schemas import SCHEMA_VERSION, TABLES
from transforms.tables.store import LocalStore


class KilledError(BaseException):
    """Stands for the end of the process."""


@pytest.fixture
def old(tmp_path):
    return unpack_schema_2(tmp_path / "old")


def rows(root, table):
    return [pq.read_table(path).to_pylist() for path in sorted((root / table).glob("*.parquet"))]


def test_a_migrated_data_set_is_sound_and_holds_the_same_rows(old):
    before = {table: rows(old, table) for table in TABLES}
    described = json.loads((old / "dataset.json").read_text())
    files = len(list(old.glob("*/*.parquet")))
    assert migrate(old) == Migration(2, files, 0)
    assert list(find_problems(old)) == []
    assert {table: rows(old, table) for table in TABLES} == before
    told = json.loads((old / "dataset.json").read_text())
    assert told["schema_version"] == SCHEMA_VERSION
    same = described.keys() - {"schema_version", "manifest_sha256"}
    assert {key: told[key] for key in same} == {key: described[key] for key in same}
    states = pq.read_table(old / "manifest.parquet")["state"].to_pylist()
    assert states == ["committed"] * files


def test_shards_are_known_again_with_the_digest_of_what_labelled_them(old):
    store = LocalStore(old)
    assert read_commit(store, committed_shards(store)[0]) is None
    listed = pq.read_table(old / "manifest.parquet").to_pylist()
    migrate(old)
    for name in committed_shards(store):
        commit = read_commit(store, name)
        assert commit is not None
        assert {commit.label_digest} == {row["label_digest"] for row in listed if row["shard"] == name}
        assert {file.path for file in commit.files} == {row["path"] for row in listed if row["shard"] == name}


def test_once_migrated_nothing_is_left_to_do(old):
    migrate(old)
    before = digests(old)
    assert migrate(old) == Migration(SCHEMA_VERSION, 0, 0)
    assert digests(old) == before


@pytest.mark.parametrize("after", [0, 1, 8, 15, 16, 17])
def test_a_killed_migration_is_finished_by_the_next(old, tmp_path, monkeypatch, after):
    undisturbed = unpack_schema_2(tmp_path / "undisturbed")
    files = migrate(undisturbed).rewritten
    assert files == 16  # so that the kills above lie before, between and after the files and the manifest
    replacing, left = LocalStore.replacing, [after]

    def killed(store, name):
        if not left[0]:
            raise KilledError
        left[0] -= 1
        return replacing(store, name)

    with monkeypatch.context() as patch:
        patch.setattr(LocalStore, "replacing", killed)
        with pytest.raises(KilledError):
            migrate(old)
    with pytest.raises(NotADatasetError, match="schema 2; run `clipmill migrate"):
        connect(old)
    assert migrate(old) == Migration(2, max(files - after, 0), min(after, files))
    assert digests(old) == digests(undisturbed)


def test_a_data_set_whose_files_are_not_its_own_is_refused(old):
    path = next((old / "tracks").glob("*.parquet"))
    other = next((old / "telemetry").glob("*.parquet"))
    path.write_bytes(other.read_bytes())
    with pytest.raises(MigrationError, match=f"{path.name}: bytes differ from the manifest's digest"):
        migrate(old)
    path.unlink()
    with pytest.raises(MigrationError, match=f"{path.name}: missing"):
        migrate(old)
    (old / "dataset.json").write_text('{"schema_version": 2, "manifest_sha256": "?"}')
    with pytest.raises(MigrationError, match="a run was cut short"):
        migrate(old)


def test_other_versions_and_no_data_set_are_told(old, tmp_path):
    (old / "dataset.json").write_text('{"schema_version": 1}')
    with pytest.raises(MigrationError, match="label its clips into another folder"):
        migrate(old)
    (old / "dataset.json").write_text("[]")
    with pytest.raises(MigrationError, match="not a JSON object"):
        migrate(old)
    with pytest.raises(NotADatasetError, match="no data set here"):
        migrate(tmp_path / "nowhere")
