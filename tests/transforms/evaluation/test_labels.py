"""Labels as a data set or a bare table has them."""

import pyarrow as pa
import pytest
from evaluated import ONE, TWO, detections, write, write_dataset

from transforms.evaluation.labels import LabelsError, Model, open_labels

BOX = (0.0, 0.0, 50.0, 50.0)


def row(frame=0, track="t1", category="car", score=0.9, raw=0.8, source="detected", clip="clip-a", box=BOX):
    return (clip, frame, category, track, box, score, raw, source)


def test_a_data_set(tmp_path):
    write_dataset(tmp_path, [row(), row(1, "t2"), row(2, None)], objects={"t1": "o", "t2": "o"})
    labels = open_labels(tmp_path, None)
    assert labels.model == Model("one", ONE)
    assert labels.looked_for == {"car", "person"}
    assert labels.in_taxonomy
    assert (labels.clips["clip-a"].uri, labels.clips["clip-a"].camera) == ("/data/drive.mp4", "front")
    # neither the damaged frame nor the one without a sample was labelled
    assert labels.frames.num_rows == 6
    rows = labels.rows(["clip-a"])
    assert rows["track_id"].to_pylist() == ["o", "o", None]
    assert rows["raw_x_min_px"].null_count == rows["category_raw"].null_count == 3
    assert labels.rows(["clip-b"]).num_rows == 0


def test_a_bare_table(tmp_path):
    whole = detections([row(clip="x"), row(clip="y", category="zebra")])
    bare = whole.drop_columns(["track_id", "score_raw", "label_source", "model_digest"])
    write(tmp_path, "detections/all", bare)
    labels = open_labels(tmp_path, None)
    assert (labels.model, labels.frames, labels.in_taxonomy) == (None, None, False)
    assert labels.looked_for == {"car", "zebra"}
    assert set(labels.clips) == {"x", "y"}
    rows = labels.rows(["x", "y"])
    assert rows["label_source"].to_pylist() == ["detected", "detected"]
    assert rows["score_raw"].null_count == rows["track_id"].null_count == 2


def test_one_of_several_networks_is_chosen(tmp_path):
    write_dataset(tmp_path, [row()], other=[row(), row(1)])
    for model, count in (("one", 1), ("two", 2), (ONE, 1), (TWO[:12], 2)):
        assert open_labels(tmp_path, model).rows(["clip-a"]).num_rows == count
    with pytest.raises(
        LabelsError, match=r"several networks: choose one with --model: one \(1+\), two \(2+\)"
    ):
        open_labels(tmp_path, None)
    with pytest.raises(LabelsError, match=r"no labels of a network 'three'; there are one"):
        open_labels(tmp_path, "three")
    # the begin of a digest must be long enough to mean one
    with pytest.raises(LabelsError, match="no labels of a network '1'"):
        open_labels(tmp_path, "1")


def test_a_model_cannot_be_chosen_where_none_is_told(tmp_path):
    write(tmp_path, "detections/all", detections([row()]).drop_columns(["model_digest"]))
    with pytest.raises(LabelsError, match="leave --model out"):
        open_labels(tmp_path, "one")


def test_what_is_no_label_is_told(tmp_path):
    with pytest.raises(LabelsError, match="no labels here"):
        open_labels(tmp_path, None)
    write(tmp_path, "detections/all", detections([row()]).drop_columns(["score", "category"]))
    with pytest.raises(LabelsError, match="detections: no column category, score"):
        open_labels(tmp_path, None)
    (tmp_path / "detections" / "all.parquet").write_text("no parquet")
    with pytest.raises(LabelsError, match="cannot be read"):
        open_labels(tmp_path, None)


def test_a_broken_dataset_json_is_told(tmp_path):
    write_dataset(tmp_path, [row()])
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(LabelsError, match="cannot be read"):
        open_labels(tmp_path, None)
    (tmp_path / "dataset.json").write_text("[]")
    with pytest.raises(LabelsError, match="not a JSON object"):
        open_labels(tmp_path, None)


@pytest.mark.parametrize("score", [float("nan"), None, float("inf")])
def test_scores_that_are_no_numbers_are_told(tmp_path, score):
    write_dataset(tmp_path, [row(score=score), row()])
    with pytest.raises(LabelsError, match="1 rows whose score is not a finite number"):
        open_labels(tmp_path, None).rows(["clip-a"])


def test_files_with_further_columns_may_stand_beside_older_ones(tmp_path):
    write_dataset(tmp_path, [row()])
    newer = detections([row(1)]).append_column("category_raw", pa.array(["truck"]))
    write(tmp_path, "detections/zz", newer)
    assert open_labels(tmp_path, None).rows(["clip-a"]).num_rows == 2


@pytest.mark.parametrize("kind", [pa.large_string(), pa.dictionary(pa.int32(), pa.string())])
def test_text_of_any_type_is_read(tmp_path, kind):
    table = detections([row(clip="x"), row(clip="y")]).drop_columns(["model_digest"])
    for name in ("clip_id", "category", "track_id"):
        place = table.column_names.index(name)
        table = table.set_column(place, name, table[name].combine_chunks().cast(kind))
    write(tmp_path, "detections/all", table)
    labels = open_labels(tmp_path, None)
    assert labels.rows(["x"])["clip_id"].to_pylist() == ["x"]
    assert labels.looked_for == {"car"}


def test_ids_that_are_no_text_are_told(tmp_path):
    table = detections([row()])
    write(tmp_path, "detections/all", table.set_column(0, "clip_id", pa.array([[7]])))
    with pytest.raises(LabelsError, match="cannot be read"):
        open_labels(tmp_path, None).rows(["7"])
