"""Samples as PyTorch's data loaders give them, compared with those that numpy gets."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from running import ROOT, SAMPLE
from snippets import TORCH_SNIPPETS, run_snippet

from transforms.tables.queries import connect
from transforms.training import (
    CATEGORIES,
    LoadingError,
    Part,
    Selection,
    open_frames,
    open_windows,
    torch_samples,
)

torch = pytest.importorskip(
    "torch", reason="PyTorch is not installed, whose wheel for Linux brings gigabytes of CUDA: make torch"
)
# two threads of OpenMP that wait for each other on a busy machine take a hundred times as long as one
torch.set_num_threads(1)
pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")

SMALL = (64, 36)
FRONT = ("front",)
PERSONS = Selection(categories=("person",))
MIXED = Selection(seed=4, size=SMALL, buffer=10)
BATCH = 5


def frames_of(dataset, selection=MIXED, part=None):
    return torch_samples(open_frames(str(dataset), selection), part)


def loader(samples, workers=0, kind=None, batch_size=BATCH, **options):
    kind = kind or torch.utils.data.DataLoader
    return kind(samples, batch_size, num_workers=workers, collate_fn=samples.collate, **options)


def ids(batches):
    return [target["frame_id"] for _, targets in batches for target in targets]


@pytest.fixture(scope="module")
def every_id(labelled_sample):
    with connect(labelled_sample) as data:
        rows = data.execute("SELECT frame_id FROM frames WHERE sample_index IS NOT NULL AND NOT is_damaged")
        return Counter(row[0] for row in rows.fetchall())


def assert_is(labels, target):
    assert target["boxes"].dtype == target["scores"].dtype == torch.float32
    assert target["labels"].dtype == torch.int64
    assert target["boxes"].shape == (len(labels.boxes), 4)
    assert np.array_equal(target["boxes"].numpy(), labels.boxes)
    assert target["labels"].tolist() == labels.categories.tolist()
    assert np.array_equal(target["scores"].numpy(), labels.scores)
    words = ("track_ids", "detection_ids", "frame_id", "clip_id", "drive_id", "camera", "timestamp_ns")
    for name in words:
        assert target[name] == getattr(labels, name)


@pytest.mark.parametrize("workers", [0, 2])
def test_tensors_are_the_arrays(labelled_sample, workers):
    plain = {sample.labels.frame_id: sample for sample in open_frames(str(labelled_sample), PERSONS)}
    without, sizes = 0, set()
    for images, targets in loader(frames_of(labelled_sample, replace(PERSONS, seed=1)), workers):
        for image, target in zip(images, targets, strict=True):
            own = plain.pop(target["frame_id"])
            assert image.dtype == torch.uint8
            assert np.array_equal(image.numpy(), own.image.transpose(2, 0, 1))
            assert_is(own.labels, target)
            without += not len(own.labels.boxes)
            sizes.add(image.shape)
    assert not plain
    assert 0 < without < 200
    # those of several sizes stay a list
    assert len(sizes) > 1


def test_windows_are_frames_along_the_first_axis(labelled_sample):
    selection = Selection(seed=1, size=SMALL, cameras=FRONT)
    plain = {sample.labels[0].frame_id: sample for sample in open_windows(str(labelled_sample), 4, selection)}
    for images, targets in loader(torch_samples(open_windows(str(labelled_sample), 4, selection)), 2):
        assert images.shape == (len(targets), 4, 3, 36, 64)
        for pictures, of_window in zip(images, targets, strict=True):
            own = plain.pop(of_window[0]["frame_id"])
            assert np.array_equal(pictures.numpy(), own.images.transpose(0, 3, 1, 2))
            for labels, target in zip(own.labels, of_window, strict=True):
                assert_is(labels, target)
    assert not plain


class WithMore(torch.utils.data.IterableDataset):
    """What somebody's own dataset adds to targets."""

    def __init__(self, samples):
        self.samples = samples

    def __iter__(self):
        for image, target in self.samples:
            target["area"] = torch.ones(2, dtype=torch.bfloat16)
            target["path"] = Path("clip")
            yield image, target


def test_targets_may_have_more_in_them(labelled_sample):
    samples = frames_of(labelled_sample)
    (_, expected), (_, targets) = (
        next(
            iter(
                torch.utils.data.DataLoader(
                    WithMore(samples), 4, num_workers=workers, collate_fn=samples.collate
                )
            )
        )
        for workers in range(2)
    )
    for target, own in zip(targets, expected, strict=True):
        assert target.keys() == own.keys()
        assert target["area"].dtype == torch.bfloat16
        assert target["path"] == Path("clip")
        assert torch.equal(target["boxes"], own["boxes"])
        target["boxes"] *= 2
        assert torch.equal(target["boxes"], own["boxes"] * 2)


@pytest.mark.parametrize(
    ("workers", "start"), [(0, None), (1, "fork"), (2, "fork"), (3, "fork"), (2, "spawn")]
)
def test_every_frame_once(labelled_sample, every_id, workers, start):
    """Also from workers forked off a process that has decoded and asked for SQL itself, and is about to go on."""
    running = iter(open_frames(str(labelled_sample), MIXED))
    next(running)
    assert (
        Counter(ids(loader(frames_of(labelled_sample), workers, multiprocessing_context=start))) == every_id
    )
    assert next(running)


def test_ranks_and_workers_share_an_epoch(labelled_sample, every_id):
    found = Counter()
    for rank in range(2):
        own = Counter(ids(loader(frames_of(labelled_sample, part=Part(rank, 2)), 2)))
        assert abs(own.total() - every_id.total() / 2) <= 20
        found += own
    assert found == every_id


def test_more_workers_than_units(labelled_sample):
    windows = open_windows(str(labelled_sample), 8, Selection(seed=0, size=SMALL, cameras=("left_repeater",)))
    assert len(windows._units) < 4
    found = [
        of_window[0]["frame_id"] for _, targets in loader(torch_samples(windows), 4) for of_window in targets
    ]
    assert len(found) == len(set(found)) == len(windows)


def test_an_epoch_is_another_order_and_the_same_again(labelled_sample):
    samples = frames_of(labelled_sample)
    first = ids(loader(samples))
    assert first == ids(loader(samples))
    numpys = open_frames(str(labelled_sample), MIXED)
    for epoch in range(2):
        samples.set_epoch(epoch)
        assert ids(loader(samples)) == [sample.labels.frame_id for sample in numpys]
    assert sorted(first) == sorted(ids(loader(samples)))
    with pytest.raises(ValueError, match="0 or more"):
        samples.set_epoch(-1)


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_workers_that_stay_are_told_of_the_epoch(labelled_sample, start):
    def orders(*, are_kept):
        samples = frames_of(labelled_sample)
        kept = loader(samples, 2, persistent_workers=are_kept, multiprocessing_context=start)
        for epoch in (0, 1, 2, 1):
            samples.set_epoch(epoch)
            # an epoch that is broken off leaves batches on their way
            yield ids(batch for _, batch in zip(range(3 if epoch == 2 else 1000), kept, strict=False))

    first, second, broken_off, again = orders(are_kept=True)
    assert second == again != first
    assert sorted(first) == sorted(second)
    if start == "fork":
        assert [first, second, broken_off, again] == list(orders(are_kept=False))


def test_an_epoch_that_is_set_too_late_does_not_mix_two(labelled_sample):
    expected = ids(loader(frames_of(labelled_sample), 3))
    samples = frames_of(labelled_sample)
    running = iter(loader(samples, 3))
    samples.set_epoch(1)
    assert ids(running) == expected


def stateful():
    return pytest.importorskip(
        "torchdata.stateful_dataloader", reason="torchdata is not installed: make torch"
    )


@pytest.mark.parametrize(("workers", "is_kept"), [(0, False), (3, False), (2, True)])
@pytest.mark.parametrize("batches", [0, 1, 17, -1, None])
def test_a_stateful_loader_goes_on_where_it_was(labelled_sample, workers, is_kept, batches):
    """After some batches, before the last one (when some workers are through), after all: to the end of the next epoch."""
    kind = stateful().StatefulDataLoader
    options = {"persistent_workers": is_kept} if workers else {}

    def made():
        samples = frames_of(labelled_sample, part=Part(1, 2))
        return samples, loader(samples, workers, kind, **options)

    samples, whole = made()
    expected = []
    for epoch in (3, 4):
        samples.set_epoch(epoch)
        expected.append([ids([batch]) for batch in whole])
    count = len(expected[0])
    # one more asks for a batch that there is not: the loader knows that it is through
    taken = count + 1 if batches is None else batches % count
    samples, first = made()
    samples.set_epoch(3)
    # `zip` is not to ask the loader for one more than is wanted
    before = [ids([batch]) for _, batch in zip(range(taken), first, strict=False)] if taken else []
    state = json.loads(json.dumps(first.state_dict()))
    samples, later = made()
    later.load_state_dict(state)
    rest = []
    for epoch in (3, 4):
        if epoch == 3 and batches is None:
            continue
        samples.set_epoch(epoch)
        rest += [ids([batch]) for batch in later]
    assert before + rest == expected[0] + expected[1]


def test_workers_that_are_through_stay_so_when_others_go_on(labelled_sample):
    few = replace(MIXED, cameras=("left_repeater",))
    kind = stateful().StatefulDataLoader
    samples = open_frames(str(labelled_sample), few)
    shares = []
    for worker in range(2):
        samples.set_part(Part(worker=worker, workers=2))
        shares.append(samples.samples_of_part())
    assert abs(shares[0] - shares[1]) >= 3 * BATCH
    whole = [ids([batch]) for batch in loader(frames_of(labelled_sample, few), 2, kind)]
    first = loader(frames_of(labelled_sample, few), 2, kind)
    # the one that has less is through when the other one's last but one is given
    before = [ids([batch]) for _, batch in zip(range(len(whole) - 1), first, strict=False)]
    later = loader(frames_of(labelled_sample, few), 2, kind)
    later.load_state_dict(first.state_dict())
    assert before + [ids([batch]) for batch in later] == whole


def test_without_set_epoch_the_state_says_which_epoch_it_is(labelled_sample):
    samples = frames_of(labelled_sample)
    samples.set_epoch(5)
    whole = ids(loader(samples))
    running = iter(loader(samples))
    before = ids([next(running)])
    state = samples.state_dict()
    later = frames_of(labelled_sample)
    later.load_state_dict(state)
    assert later.state_dict() == state
    assert before + ids(loader(later)) == whole
    # and the next one begins anew
    assert ids(loader(later)) == ids(loader(frames_of(labelled_sample)))


def test_states_that_lead_astray_are_refused(labelled_sample):
    samples = frames_of(labelled_sample)
    running = iter(loader(samples))
    next(running)
    state = samples.state_dict()
    with pytest.raises(LoadingError, match="another number of processes"):
        frames_of(labelled_sample, part=Part(0, 2)).load_state_dict(state)
    other = frames_of(labelled_sample)
    other.load_state_dict(state)
    other.set_epoch(2)
    with pytest.raises(LoadingError, match="within epoch 0, and set_epoch said 2"):
        next(iter(loader(other)))
    other.load_state_dict(state)
    with pytest.raises(LoadingError, match="StatefulDataLoader"):
        next(iter(loader(other, 1)))
    read = frames_of(labelled_sample)
    running = iter(loader(read, 1))
    next(running)
    with pytest.raises(LoadingError, match="StatefulDataLoader"):
        read.state_dict()
    read.set_epoch(1)
    assert (read.state_dict()["epoch"], read.state_dict()["given"]) == (1, 0)


PROCESS = """
import json, sys
import torch
from torch.utils.data import DataLoader
from transforms.training import LoadingError, Selection, open_frames, torch_samples

frames = open_frames(sys.argv[1], Selection(seed=4, size=(64, 36)))
try:
    torch_samples(frames)
except LoadingError as error:
    assert "init_process_group" in str(error)
else:
    raise AssertionError("each process would have read everything")
torch.distributed.init_process_group("gloo")
samples = torch_samples(frames)
loader = DataLoader(samples, 8, num_workers=2, collate_fn=samples.collate)
found = [target["frame_id"] for _, targets in loader for target in targets]
with open(f"{sys.argv[2]}/{torch.distributed.get_rank()}.json", "w") as target:
    json.dump(found, target)
torch.distributed.destroy_process_group()
"""


def test_processes_of_torchrun_share_an_epoch(labelled_sample, every_id, tmp_path):
    (tmp_path / "train.py").write_text(PROCESS)
    subprocess.run(
        [
            *(sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"),
            *(tmp_path / "train.py", labelled_sample, tmp_path),
        ],
        check=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        timeout=300,
    )
    found = [Counter(json.loads((tmp_path / f"{rank}.json").read_text())) for rank in range(2)]
    assert all(found)
    assert found[0] + found[1] == every_id


@pytest.fixture(scope="module")
def clip_gone(clipmill, tmp_path_factory) -> tuple[Path, Path]:
    """A data set and its clip, which is there no more."""
    folder = tmp_path_factory.mktemp("gone")
    clip = folder / "clip.mp4"
    shutil.copy(SAMPLE / "generic" / "variable_rate.mp4", clip)
    assert clipmill("label", clip, "-o", folder / "out", "--model", "demo").code == 0
    clip.unlink()
    return folder / "out", clip


@pytest.mark.parametrize(("workers", "start"), [(0, None), (2, "fork"), (1, "spawn")])
def test_what_a_worker_cannot_read_is_told(clip_gone, workers, start):
    dataset, clip = clip_gone
    with pytest.raises(LoadingError, match=f"{clip}: cannot be opened") as told:
        list(loader(frames_of(dataset), workers, multiprocessing_context=start))
    assert "No such file or directory" in str(told.value)


INTERRUPTED = """
import sys, time
from torch.utils.data import DataLoader
from transforms.training import Selection, open_frames, torch_samples

samples = torch_samples(open_frames(sys.argv[1], Selection(seed=4, size=(64, 36))))
for batch in DataLoader(samples, 2, num_workers=2, collate_fn=samples.collate):
    print("begun", flush=True)
    time.sleep(0.2)
"""


def test_an_interrupt_ends_training_and_its_workers(labelled_sample):
    with subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, labelled_sample],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    ) as training:
        assert training.stdout.readline() == "begun\n"
        workers = psutil.Process(training.pid).children()
        assert len(workers) >= 2
        # as a terminal sends it: to all of them
        os.killpg(training.pid, signal.SIGINT)
        _, errors = training.communicate(timeout=60)
    assert training.returncode == -signal.SIGINT
    assert errors.rstrip().endswith("KeyboardInterrupt")
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive


def test_a_detector_of_torchvision_learns_from_it(labelled_sample):
    models = pytest.importorskip(
        "torchvision.models.detection", reason="torchvision is not installed: make torch"
    )
    torch.manual_seed(0)
    detector = models.ssdlite320_mobilenet_v3_large(
        weights=None, weights_backbone=None, num_classes=len(CATEGORIES) + 1
    )
    samples = frames_of(labelled_sample, Selection(seed=0, size=(160, 90)))
    images, targets = next(iter(loader(samples, 1, batch_size=4)))
    # its class 0 is the background
    own = [{"boxes": target["boxes"], "labels": target["labels"] + 1} for target in targets]
    assert sum(len(target["boxes"]) for target in targets)
    losses = detector([image / 255 for image in images], own)
    sum(losses.values()).backward()
    assert all(torch.isfinite(loss) for loss in losses.values())


@pytest.mark.parametrize("code", TORCH_SNIPPETS, ids=range(len(TORCH_SNIPPETS)))
def test_the_pages_code_runs(labelled_sample, tmp_path, monkeypatch, capsys, code):
    shown = run_snippet(code, labelled_sample, tmp_path, monkeypatch, capsys)
    assert shown
    if losses := [float(loss) for loss in re.findall(r"loss ([\d.]+)", shown)]:
        assert losses[-1] < losses[0]
