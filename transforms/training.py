"""What training code opens: the samples of a labelled data set at a path or URL."""

from typing import TYPE_CHECKING

from transforms.loading.dataset import LabelledFrames, LabelledWindows
from transforms.loading.index import Windows
from transforms.loading.order import Part
from transforms.loading.samples import (
    CATEGORIES,
    FrameLabels,
    FrameSample,
    LoadingError,
    Selection,
    WindowSample,
)
from transforms.storage import open_store, open_stream

if TYPE_CHECKING:
    from transforms.loading.torch_samples import TorchSamples

__all__ = [
    "CATEGORIES",
    "FrameLabels",
    "FrameSample",
    "LabelledFrames",
    "LabelledWindows",
    "LoadingError",
    "Part",
    "Selection",
    "WindowSample",
    "open_frames",
    "open_windows",
    "torch_samples",
]


def open_frames(place: str, selection: Selection | None = None) -> LabelledFrames:
    """The labelled frames of a data set.

    Args:
        place: its folder or URL.
        selection: what is asked for; None: all frames in order.

    Raises:
        NotADatasetError: there is none, or one of another schema.
        UnfinishedError: a run has not ended.
        LoadingError: it lacks what is asked for.
    """
    return LabelledFrames(open_store(place), place, open_stream, selection or Selection(), Windows())


def open_windows(
    place: str, length: int, selection: Selection | None = None, *, stride: int | None = None
) -> LabelledWindows:
    """Windows of labelled frames of a data set.

    Args:
        place: its folder or URL.
        length: frames of a window.
        selection: what is asked for; None: all windows in order.
        stride: frames from the begin of one window to the begin of the next; None: they lie side by side.

    Raises:
        NotADatasetError: there is none, or one of another schema.
        UnfinishedError: a run has not ended.
        LoadingError: it lacks what is asked for.
    """
    windows = Windows(length, length if stride is None else stride)
    return LabelledWindows(open_store(place), place, open_stream, selection or Selection(), windows)


def torch_samples(samples: LabelledFrames | LabelledWindows, part: Part | None = None) -> "TorchSamples":
    """The samples as a `torch.utils.data.IterableDataset` of tensors, for PyTorch's data loaders.

    Args:
        samples: what `open_frames` or `open_windows` gave.
        part: this process among those that train; None: the part of `samples` where one was set, else as torch.distributed
            tells.

    Raises:
        LoadingError: PyTorch is not installed; or several processes were started, and torch.distributed does not know of
            them yet.
    """
    try:
        from transforms.loading.torch_samples import TorchSamples
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise LoadingError("PyTorch is not installed: pip install 'clipmill[torch]'") from error
    return TorchSamples(samples, part)
