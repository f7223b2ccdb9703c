from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from transforms.corrections.overlay import overlaid
from transforms.tables.schemas import DETECTIONS

HERE, NEAR, FAR = (10.0, 10.0, 30.0, 30.0), (12.0, 10.0, 32.0, 30.0), (100.0, 50.0, 140.0, 90.0)
MODELS = ["5ha"]
BOXES = (HERE, NEAR, FAR, (11.0, 60.0, 55.0, 99.0), (200.0, 100.0, 260.0, 150.0))


def test_each_label_becomes_what_was_said_of_it_and_no_other(make_labels, make_frames, make_correction, say):
    labels = make_labels(
        (0, HERE, "car", 0.75), (0, FAR, "car", 0.5), (1, HERE, "car", 0.75), (2, HERE, "bus", 0.25)
    )
    group = (
        make_correction("change", 0, detection_id="d0", box=NEAR, box_before=HERE, category_before="car"),
        make_correction("remove", 0, detection_id="d1", box_before=FAR, category_before="car"),
        make_correction("keep", 1, detection_id="d2", box=HERE, box_before=HERE, category_before="car"),
        make_correction("add", 1, box=FAR, category="person"),
    )
    found = overlaid(labels, make_frames(), [group], MODELS)
    after = say(found.detections)
    (added,) = after.keys() - {"d0", "d1", "d2", "d3"}
    before = say(labels)
    assert after == before | {
        "d0": (NEAR, "car", 1.0, "human"),
        "d1": (FAR, "car", 0.0, "human"),
        added: (FAR, "person", 1.0, "human"),
    }
    rows = {row["detection_id"]: row for row in found.detections.to_pylist()}
    assert (rows["d0"]["track_id"], rows["d0"]["changes"]) == ("t0", ["box", "score"])
    assert (rows["d1"]["track_id"], rows["d1"]["changes"]) == ("t1", ["score"])
    assert (rows[added]["track_id"], rows[added]["score_raw"], rows[added]["changes"]) == (None, None, [])
    assert list(rows) == ["d0", "d1", "d2", added, "d3"]
    assert not found.conflicts
    assert {name: [item.action for item in items] for name, items in found.told.items()} == {
        "d0": ["change"],
        "d1": ["remove"],
        added: ["add"],
    }


def test_labels_of_another_network_are_found_by_overlap(make_labels, make_frames, make_correction, say):
    labels = make_labels((0, NEAR, "truck", 0.5), (0, FAR, "car", 0.5), (1, FAR, "car", 0.5))
    group = (
        make_correction(
            "change", 0, detection_id="x", box=HERE, box_before=HERE, category="bus", category_before="car"
        ),
        make_correction("remove", 0, detection_id="y", box_before=FAR, category_before="car"),
        make_correction("add", 1, box=(101.0, 50.0, 141.0, 90.0), category="truck"),
    )
    found = overlaid(labels, make_frames(), [group], MODELS)
    assert say(found.detections) == {
        "d0": (HERE, "bus", 1.0, "human"),
        "d1": (FAR, "car", 0.0, "human"),
        "d2": ((101.0, 50.0, 141.0, 90.0), "truck", 1.0, "human"),
    }
    assert not found.conflicts


def test_a_box_that_was_kept_is_not_taken_for_its_neighbour(make_labels, make_frames, make_correction, say):
    labels = make_labels((0, HERE, "car", 0.5))
    group = (
        make_correction("keep", 0, detection_id="x", box=HERE, box_before=HERE, category_before="car"),
        make_correction("remove", 0, detection_id="y", box_before=NEAR, category_before="car"),
    )
    found = overlaid(labels, make_frames(), [group], MODELS)
    assert say(found.detections) == say(labels)
    assert found.conflicts == {group[1].correction_id: "no_counterpart"}


def test_what_finds_no_counterpart_or_no_frame_is_told(make_labels, make_frames, make_correction, say):
    labels = make_labels((0, FAR, "car", 0.5))
    before = {"box_before": HERE, "category_before": "car"}
    change = make_correction("change", 0, detection_id="x", box=NEAR, **before)
    remove = make_correction("remove", 0, detection_id="y", **before)
    gone = make_correction("add", 7, box=HERE)
    damaged = make_correction("add", 2, box=HERE)
    looked = make_correction("look", 7)
    found = overlaid(labels, make_frames(damaged=(2,)), [(change, remove, gone, damaged, looked)], MODELS)
    assert found.conflicts == {
        change.correction_id: "no_counterpart",
        remove.correction_id: "no_counterpart",
        gone.correction_id: "no_frame",
        damaged.correction_id: "no_frame",
    }
    # what a person saw is there, whatever the network says
    after = say(found.detections)
    assert after.pop("d0") == (FAR, "car", 0.5, "detected")
    assert list(after.values()) == [(NEAR, "car", 1.0, "human")]


def test_only_the_category_was_changed_so_the_box_keeps_its_digits(
    make_labels, make_frames, make_correction, say
):
    exact = (10.00003, 10.0, 30.0, 30.0)
    labels = make_labels((0, exact, "car", 0.5))
    item = make_correction(
        "change", 0, detection_id="d0", box=HERE, box_before=HERE, category="bus", category_before="car"
    )
    after = overlaid(labels, make_frames(), [(item,)], MODELS).detections
    assert after["x_min_px"].to_pylist() == labels["x_min_px"].to_pylist() != [10.0]
    assert say(after)["d0"][1:] == ("bus", 1.0, "human")


def test_one_networks_correction_leaves_the_other_alone_and_a_new_one_gets_it(
    make_labels, make_frames, make_correction
):
    labels = make_labels((0, HERE, "car", 0.5), (0, HERE, "car", 0.5, "other"))
    item = make_correction("add", 0, box=FAR, model_digest="5ha")
    both = overlaid(labels, make_frames(), [(item,)], ["5ha", "other"]).detections.to_pylist()
    assert [(row["model_digest"], row["label_source"]) for row in both] == [
        ("5ha", "detected"),
        ("5ha", "human"),
        ("other", "detected"),
    ]
    labels = make_labels((0, HERE, "car", 0.5, "new"))
    new = overlaid(labels, make_frames(), [(item,)], ["new"]).detections.to_pylist()
    assert [(row["model_digest"], row["label_source"]) for row in new] == [
        ("new", "detected"),
        ("new", "human"),
    ]


def test_an_added_box_takes_the_row_of_a_label_that_was_set_aside(
    make_labels, make_frames, make_correction, say
):
    labels = make_labels((0, HERE, "car", 0.0))
    found = overlaid(labels, make_frames(), [(make_correction("add", 0, box=NEAR),)], MODELS)
    assert say(found.detections) == {"d0": (NEAR, "car", 1.0, "human")}


def test_labels_without_corrections_are_the_same_table(make_labels, make_frames):
    labels = make_labels((0, HERE, "car", 0.5))
    assert overlaid(labels, make_frames(), [], MODELS).detections is labels


@st.composite
def _files(draw):
    """What three files say of two frames, about labels d0 to d3 and boxes anywhere."""
    files = []
    for sequence in (1, 2, 3):
        said = []
        for frame in (0, 1):
            for label in draw(st.sets(st.integers(0, 3), max_size=3)):
                action = draw(st.sampled_from(["keep", "change", "remove"]))
                said.append(
                    (
                        action,
                        frame,
                        f"d{label}" if draw(st.booleans()) else "gone",
                        draw(st.sampled_from(BOXES)),
                    )
                )
            said += [("add", frame, None, box) for box in draw(st.sets(st.sampled_from(BOXES), max_size=2))]
        files.append((sequence, said))
    return files


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(_files())
def test_corrections_on_top_of_corrected_labels_give_what_all_of_them_give_at_once(
    make_labels, make_frames, make_correction, files
):
    labels = make_labels(*[(number // 2, box, "car", 0.5) for number, box in enumerate(BOXES[:4])])
    groups = []
    for sequence, said in files:
        group = []
        for action, frame, label, box in said:
            more = (
                {} if label is None else {"detection_id": label, "box_before": box, "category_before": "car"}
            )
            if action != "remove":
                more["box"] = box
            group.append(make_correction(action, frame, sequence=sequence, **more))
        groups.append(tuple({item.correction_id: item for item in group}.values()))
    at_once = overlaid(labels, make_frames(), groups, MODELS)
    step = labels
    conflicts = {}
    for group in groups:
        found = overlaid(step, make_frames(), [group], MODELS)
        step, conflicts = found.detections, conflicts | found.conflicts
    assert step.equals(at_once.detections)
    assert conflicts == at_once.conflicts
    assert step.schema.equals(DETECTIONS)
    places = [(row["frame_id"], row["model_digest"]) for row in step.to_pylist()]
    assert all(first <= second for first, second in pairwise(places))
