"""Networks in the runtime: opened on a device, and held against their cards."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state

from models.card import InputSpec, ModelCard
from models.errors import ModelMismatchError, ModelUsageError
from models.families import FAMILIES
from models.families.candidates import Shapes
from models.graphs import prepare

_PICTURE_AXES: Final = 4
_SILENT: Final = 4
_PROVIDERS: Final = {
    "cpu": ["CPUExecutionProvider"],
    "cuda": ["CUDAExecutionProvider", "CPUExecutionProvider"],
}
RUNTIME_FAULTS: Final[tuple[type[Exception], ...]] = (
    RuntimeError,
    ValueError,
    *(
        value
        for value in vars(onnxruntime_pybind11_state).values()
        if isinstance(value, type) and issubclass(value, Exception)
    ),
)
"""What the runtime raises: its exceptions share no base class."""


def check_device(device: str) -> None:
    """Makes sure that networks can run there.

    Raises:
        ModelUsageError: no such device, or this runtime cannot use it.
    """
    if device not in _PROVIDERS:
        raise ModelUsageError(f"--device {device}: expected {' or '.join(_PROVIDERS)}")
    if _PROVIDERS[device][0] not in onnxruntime.get_available_providers():
        raise ModelUsageError(
            f"--device {device}: the installed onnxruntime {onnxruntime.__version__} runs on the CPU only; "
            "install onnxruntime-gpu in its place, on a machine with an NVIDIA driver"
        )


@dataclass(frozen=True, slots=True)
class Network:
    """A session and the names it wants.

    Attributes:
        session: the runtime's session; its `run` may be called by many threads at once.
        picture: name of the input that takes the pictures.
        picture_shape: its declared shape; a number, a name or None for each axis.
        target_size: name of the input that takes (width, height) of each picture, or None.
        outputs: names of the outputs, in the graph's order.
    """

    session: Any
    picture: str
    picture_shape: tuple[int | str | None, ...]
    target_size: str | None
    outputs: tuple[str, ...]

    def run(self, pictures: npt.NDArray[np.float32], width: int, height: int) -> dict[str, npt.NDArray[Any]]:
        """The outputs by name."""
        feeds: dict[str, npt.NDArray[Any]] = {self.picture: pictures}
        if self.target_size is not None:
            feeds[self.target_size] = np.array([[width, height]] * len(pictures), dtype=np.int64)
        return dict(zip(self.outputs, self.session.run(self.outputs, feeds), strict=True))


def open_network(data: bytes, spec: InputSpec | None, name: str, device: str = "cpu") -> Network:
    """Loads a network and looks at its inputs.

    Args:
        data: the ONNX file.
        spec: the card's input, None where there is no card yet.
        name: how messages call the network.
        device: cpu or cuda.

    Raises:
        ModelUsageError: the runtime cannot load it, or cannot use the device.
        ModelMismatchError: its inputs are not a picture and, at most, the picture's size.
    """
    check_device(device)
    options = onnxruntime.SessionOptions()
    # One thread inside, parallel across clips: more threads inside burn twice the CPU a frame.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = _SILENT
    try:
        session = onnxruntime.InferenceSession(
            prepare(data, spec, name), options, providers=_PROVIDERS[device]
        )
    except RUNTIME_FAULTS as error:
        raise ModelUsageError(f"{name}: onnxruntime cannot load it: {_first_line(error)}") from error
    if _PROVIDERS[device][0] not in session.get_providers():
        raise ModelUsageError(
            f"--device {device}: onnxruntime could not start it: are driver and CUDA libraries there?"
        )
    inputs = list(session.get_inputs())
    pictures = [
        value for value in inputs if len(value.shape) == _PICTURE_AXES and value.type == "tensor(float)"
    ]
    sizes = [value for value in inputs if len(value.shape) == 2 and value.type == "tensor(int64)"]  # noqa: PLR2004 - axes
    if len(pictures) != 1 or len(sizes) > 1 or len(inputs) != 1 + len(sizes):
        found = ", ".join(f"{value.name} {value.type}{value.shape}" for value in inputs) or "none"
        raise ModelMismatchError(
            f"{name}: inputs found: {found}; expected one float32 picture with four axes and, for networks that ask "
            "for the target size, int64[batch, 2]"
        )
    return Network(
        session=session,
        picture=pictures[0].name,
        picture_shape=tuple(pictures[0].shape),
        target_size=sizes[0].name if sizes else None,
        outputs=tuple(value.name for value in session.get_outputs()),
    )


def try_network(network: Network, spec: InputSpec, name: str, batch: int, width: int, height: int) -> Shapes:
    """Runs a network on grey pictures of a size.

    Returns:
        The shapes of its outputs.

    Raises:
        ModelMismatchError: it does not run on such an input.
    """
    shape = (batch, 3, height, width) if spec.layout == "NCHW" else (batch, height, width, 3)
    try:
        outputs = network.run(np.zeros(shape, dtype=np.float32), width, height)
    except RUNTIME_FAULTS as error:
        raise ModelMismatchError(
            f"{name}: the network declares its input as {list(network.picture_shape)} and does not run on "
            f"{list(shape)}: {_first_line(error)}"
        ) from error
    return {output: tuple(value.shape) for output, value in outputs.items()}


def trial_size(spec: InputSpec) -> tuple[int, int]:
    """Width and height for a first run: small and not square where sizes are free."""
    return (4 * spec.stride, 2 * spec.stride) if spec.dynamic else (spec.width, spec.height)


def check_fit(network: Network, card: ModelCard, batch: int = 1) -> Shapes:
    """Makes sure that a network's outputs are those of its card, by running it once.

    Returns:
        The shapes of its outputs at the trial's size.

    Raises:
        ModelMismatchError: with the shapes found and expected.
    """
    width, height = trial_size(card.input)
    shapes = try_network(network, card.input, card.name, batch, width, height)
    family = FAMILIES[card.family]
    if not family.fits(card, shapes, batch, height, width):
        found = ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items())
        raise ModelMismatchError(
            f"the network does not fit its card {card.name} (family {card.family}, {len(card.classes)} classes): for "
            f"an input of {width} x {height} it gives {found}; expected {family.expected(card, height, width)}"
        )
    return shapes


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
