"""The samples as PyTorch's data loaders take them. Needs the extra `torch`; no other module here imports it."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypedDict, TypeVar, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import IterableDataset, get_worker_info

from transforms.loading.dataset import LabelledFrames, LabelledWindows
from transforms.loading.order import Part
from transforms.loading.samples import FrameLabels, FrameSample, LoadingError

Labels = TypeVar("Labels")
State = Mapping[str, int | str]

_NOT_SET: Final = -1


class Target(TypedDict):
    """The labels of a frame, those of `FrameLabels`; its `categories` are `labels`, as detectors of torchvision call them.

    Attributes:
        boxes: float32[N, 4].
        labels: places in `CATEGORIES`, from 0, int64[N].
        scores: float32[N].
    """

    boxes: torch.Tensor
    labels: torch.Tensor
    scores: torch.Tensor
    track_ids: tuple[str, ...]
    detection_ids: tuple[str, ...]
    frame_id: str
    clip_id: str
    drive_id: str
    camera: str
    timestamp_ns: int


class TorchSamples(IterableDataset[tuple[torch.Tensor, Target | list[Target]]]):
    """Samples as tensors, those that fall to this process and, within it, to this worker of its data loader.

    A frame is an image, uint8[3, height, width], and its target; a window is images, uint8[T, 3, height, width], and a
    list of targets.

    Args:
        samples: what is gone through.
        part: this process among those that train; None: the part of `samples` where one was set, else as torch.distributed
            tells.

    Raises:
        LoadingError: several processes were started, and torch.distributed does not know of them yet.
    """

    def __init__(self, samples: LabelledFrames | LabelledWindows, part: Part | None = None) -> None:
        super().__init__()
        self._samples = samples
        self._part = part or (_part_of_process() if samples.part == Part() else samples.part)
        self._first_epoch = samples.epoch
        self._epoch = _NOT_SET
        # workers that outlive an epoch see what is written here later
        self._shared_epoch = torch.tensor(_NOT_SET).share_memory_()
        self._read_by_workers = torch.tensor(data=False).share_memory_()
        self._begun_in = 0
        self._loaded: tuple[int, State] | None = None
        self._position: State | None = None

    def __iter__(self) -> Iterator[tuple[torch.Tensor, Target | list[Target]]]:
        """Begins a pass.

        Raises:
            LoadingError: a state was loaded that is not of this pass, or not in this process.
        """
        self._take_part()
        self._position = self._begin()
        self._loaded = None
        self._begun_in = os.getpid()
        self._read_by_workers.fill_(get_worker_info() is not None)
        return self._tensors(self._position)

    def set_epoch(self, epoch: int) -> None:
        """Says which epoch is gone through from the next pass on; workers of a loader that keeps them are told as well.

        Args:
            epoch: from 0. Without it every pass goes through the same one.
        """
        if epoch < 0:
            raise ValueError(f"epoch {epoch}: must be 0 or more")
        self._epoch = epoch
        self._shared_epoch.fill_(epoch)
        self._read_by_workers.fill_(value=False)

    def state_dict(self) -> dict[str, int | str]:
        """Where the pass of this process or worker is: what was given is not given again.

        Raises:
            LoadingError: workers are going through it, and no loader asks them.
        """
        if get_worker_info() is None and self._read_by_workers:
            raise LoadingError(
                "workers read these samples, and each alone knows where it is: take torchdata's StatefulDataLoader, and"
                " its state_dict"
            )
        self._take_part()
        if self._loaded is not None:
            return dict(self._loaded[1])
        return dict(self._position or self._start())

    def load_state_dict(self, state: State) -> None:
        """Lets the next pass of this process or worker go on where another one was.

        Args:
            state: what `state_dict` gave in the same part.

        Raises:
            LoadingError: it is of another data set, of other settings or of another part.
        """
        self._take_part()
        self._samples.load_state_dict(state)
        self._loaded = os.getpid(), state

    @staticmethod
    def collate(
        samples: Sequence[tuple[torch.Tensor, Labels]],
    ) -> tuple[torch.Tensor | list[torch.Tensor], list[Labels]]:
        """Makes a batch: frames differ in how many boxes they have, so targets stay a list.

        Args:
            samples: what this gives.

        Returns:
            The images, stacked where they are of one size, and the targets.
        """
        images = [image for image, _ in samples]
        is_one_size = len({image.shape for image in images}) == 1
        return torch.stack(images) if is_one_size else images, [target for _, target in samples]

    def _take_part(self) -> None:
        worker = get_worker_info()
        part = (
            self._part
            if worker is None
            else replace(self._part, worker=worker.id, workers=worker.num_workers)
        )
        self._samples.set_part(part)

    def _epoch_set(self) -> int:
        """The epoch that was set.

        The first pass of a worker goes through the one that was set when it was started: were another one set a moment
        later, workers that start slowly would go through other samples than their neighbours.
        """
        return int(self._shared_epoch) if self._begun_in == os.getpid() else self._epoch

    def _start(self) -> State:
        epoch = self._epoch_set()
        if epoch == _NOT_SET:
            epoch = self._first_epoch
        return {**self._samples.state_dict(), "epoch": epoch, "given": 0}

    def _begin(self) -> State:
        """Where the next pass begins."""
        if self._loaded is None:
            return self._start()
        process, state = self._loaded
        if process != os.getpid():
            raise LoadingError(
                "load_state_dict was called, but not in the workers that read: take torchdata's StatefulDataLoader, and its"
                " load_state_dict"
            )
        self._samples.load_state_dict(state)
        epoch = self._epoch_set()
        if epoch in {_NOT_SET, state["epoch"]}:
            return state
        if int(state["given"]) < self._samples.samples_of_part():
            raise LoadingError(
                f"the loaded state is within epoch {state['epoch']}, and set_epoch said {epoch}: go on with that epoch"
            )
        return self._start()

    def _tensors(self, begin: State) -> Iterator[tuple[torch.Tensor, Target | list[Target]]]:
        self._samples.load_state_dict(begin)
        end = {**begin, "given": self._samples.samples_of_part()}
        for sample in self._samples:
            self._position = self._samples.state_dict()
            if isinstance(sample, FrameSample):
                yield _channels_first(sample.image), _target(sample.labels)
            else:
                yield _channels_first(sample.images), [_target(labels) for labels in sample.labels]
        # of this epoch still: a worker that is through early has to know so when the others go on
        self._position = end


def _part_of_process() -> Part:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return Part(torch.distributed.get_rank(), torch.distributed.get_world_size())
    if (processes := os.environ.get("WORLD_SIZE", "1")) not in {"", "1"}:
        raise LoadingError(
            f"WORLD_SIZE is {processes}, and each process would read all samples: call"
            " torch.distributed.init_process_group first, or say `part`"
        )
    return Part()


def _channels_first(pictures: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(np.moveaxis(pictures, -1, -3))


class _Sent(dict[str, object]):
    """A target whose small tensors go from a worker to the training by value.

    Each tensor that a worker sends is else a file of shared memory with a connection of its own: for a dozen boxes most of
    what a frame costs on its way.
    """

    def __reduce__(self) -> tuple[Callable[[dict[str, object]], "_Sent"], tuple[dict[str, object]]]:
        """Tensors of other types, which somebody has put in, stay what they are."""
        return _received, ({name: _by_value(value) for name, value in self.items()},)


_BY_VALUE: Final = (torch.float32, torch.int64)


def _by_value(value: object) -> object:
    if isinstance(value, torch.Tensor) and type(value) is torch.Tensor and value.dtype in _BY_VALUE:
        return value.numpy()
    return value


def _received(sent: dict[str, object]) -> _Sent:
    return _Sent(
        (name, torch.from_numpy(value) if isinstance(value, np.ndarray) else value)
        for name, value in sent.items()
    )


def _target(labels: FrameLabels) -> Target:
    target: Target = {
        "boxes": torch.from_numpy(labels.boxes),
        "labels": torch.from_numpy(labels.categories.astype(np.int64)),
        "scores": torch.from_numpy(labels.scores),
        "track_ids": labels.track_ids,
        "detection_ids": labels.detection_ids,
        "frame_id": labels.frame_id,
        "clip_id": labels.clip_id,
        "drive_id": labels.drive_id,
        "camera": labels.camera,
        "timestamp_ns": labels.timestamp_ns,
    }
    return cast("Target", _Sent(target))
