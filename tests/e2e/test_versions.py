"""Data sets over time: merged, compared, brought to a newer schema, labelled on."""

import pytest
from golden_sets import unpack_schema_2
from running import SAMPLE

TRUTH = SAMPLE / "truth"


@pytest.fixture(scope="module")
def copy(clipmill, labelled_sample, tmp_path_factory):
    output = tmp_path_factory.mktemp("merged") / "copy"
    done = clipmill("compact", labelled_sample, "-o", output, "--json")
    assert done.code == 0, done.errors
    assert done.data["files"] < done.data["files_before"]
    return output


def test_a_compacted_copy_is_sound_and_answers_like_the_data_set(clipmill, labelled_sample, copy):
    assert clipmill("verify", copy).code == 0
    for command in (
        ["inspect"],
        ["sql", "SELECT category, count(*) FROM detections GROUP BY ALL ORDER BY ALL"],
        ["evaluate", "--truth", TRUTH],
        ["budget", "--workload", "fsd"],
    ):
        direct, merged = (
            clipmill(command[0], root, *command[1:], "--json") for root in (labelled_sample, copy)
        )
        assert (direct.code, merged.code) == (0, 0), merged.errors
        for data in (one := direct.data, two := merged.data):
            # what was timed in runs stays with the runs
            for name in ("labels", "dataset", "lineage", "labelling", "assumptions"):
                data.pop(name, None)
        assert one == two, command


def test_nothing_is_labelled_into_a_copy(clipmill, copy):
    done = clipmill("label", SAMPLE, "-o", copy, "--model", "demo")
    assert done.code == 1
    assert "is a compacted copy, which is sealed" in done.errors


def test_a_migrated_data_set_is_labelled_on(clipmill, tmp_path):
    root = unpack_schema_2(tmp_path / "old")
    assert clipmill("migrate", root).code == 0
    before = tmp_path / "before"
    assert clipmill("compact", root, "-o", before).code == 0
    fast = ("--model", "demo", "--fps", "1", "--json")
    done = clipmill("label", SAMPLE / "TeslaCam" / "SavedClips", "-o", root, *fast)
    assert done.code == 0, done.errors
    # label digests cover the schema: what is among the inputs is labelled again, nothing stands twice
    assert (done.data["shards"]["written"], done.data["left_over_shards"]) == (2, 0)
    assert clipmill("verify", root).code == 0
    after = tmp_path / "after"
    assert clipmill("compact", root, "-o", after).code == 0
    found = clipmill("diff", before, after, "--json", "--exit-code")
    assert found.code == 1
    # the other cameras of the two minutes came in, the front camera's clips are in both
    assert found.data["clips"]["only_first"]["count"] == 0
    assert found.data["clips"]["only_second"]["count"] == 5
    assert found.data["frames"]["both"] == 8
