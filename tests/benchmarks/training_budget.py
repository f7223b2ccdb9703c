"""A training of the bundled detector on this machine: predicted before, measured after.

    pip install -e .[train]     # a CPU build of torch is enough
    python tests/benchmarks/training_budget.py [--steps 150] [--worlds 12] [--threads 2] [--json]

Worlds are rendered into a temporary folder. Then comes the prediction, and it is printed with its time and digest before
the first step. FLOPs are 3 x those of a forward pass, counted in the ONNX graph at the size of every crop that the
training will see; the peak is what a large float32 multiplication of matrices reaches here; utilisation is the prior of
kind `vision`, as in every estimate.

Then the detector is trained twice from one seed by the loop of `models.training.train`, without checkpoints and
validation: with each batch made before its step and off the clock, and as in a real training, with a thread that makes
batches ahead on the same cores. Beside each step of the first training a forward pass over the same batch is timed.

Core-hours are CPU time: on a shared machine they are what the training needed, while the seconds are also others' doing.
The peak is per CPU second for the same reason. Cores that idle while one works do not count: see the cores got.
"""

import argparse
import copy
import hashlib
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import torch
from torch import Tensor

from models.flops import count_flops
from models.training.export import to_onnx
from models.training.frames import LabelledFrame, random_crops
from models.training.losses import Truth
from models.training.network import DemoDetector
from models.training.train import Settings, batches, fit, fresh_detector, to_batch
from models.training.training_set import TrainingSet, read_training_set
from transforms.budget.demand.flops import SECONDS_PER_HOUR
from transforms.budget.estimates import Estimate
from transforms.budget.facts.own import OwnFacts
from transforms.budget.request import FlopsRequest
from transforms.scenes.training_frames import write_shards

KIND = "vision"
FIRST_WORLD = 2000
LONG_SIDE = 960
PEAK_RATE = 3e-3
SEED = 0
STEP_OVER_FORWARD = 3
"""FLOPs of a training step over those of its forward pass, the rule of every estimate."""
MATRIX_SIDE = 3072
TRIALS = 20
WARM_UP_STEPS = 8
NEVER = float("inf")
QUANTILES = ("p10", "p50", "p90")
MACHINE = """
[accelerators.this-machine]
source = "measured by tests/benchmarks/training_budget.py"
as_of = {date}
kind = "estimate"
bf16_dense = {{ value = {peak}, unit = "FLOP/s", source = "float32, a large multiplication of matrices" }}
memory = {{ value = {memory}, unit = "B" }}
scale_up_size = {{ value = 1, unit = "accelerators" }}
thermal_design_power = {{ low = 50, high = 300, unit = "W", kind = "assumed" }}
server_power = {{ low = 50, high = 300, unit = "W", kind = "assumed" }}
capital = {{ low = 300, high = 3000, unit = "USD", kind = "assumed" }}
"""
"""As an accelerator: peak and memory are measured; power and money must be there, but no figure told here uses them."""

Size = tuple[int, int]
Batch = tuple[Tensor, Truth]


@dataclass(frozen=True)
class Span:
    """Wall seconds, and the CPU seconds of all threads of this process in them."""

    wall: float
    processor: float

    @classmethod
    def now(cls) -> "Span":
        return cls(time.perf_counter(), time.process_time())

    def __sub__(self, other: "Span") -> "Span":
        return Span(self.wall - other.wall, self.processor - other.processor)

    def __add__(self, other: "Span") -> "Span":
        return Span(self.wall + other.wall, self.processor + other.processor)


NOTHING = Span(0.0, 0.0)


def crops_of(known: TrainingSet) -> Iterator[list[LabelledFrame]]:
    """The batches of the training, the same at every call."""
    return random_crops(known.store, known.used, long_side=LONG_SIDE, seed=SEED)


def peak_flops(threads: int) -> float:
    """FLOP/s that a large float32 multiplication of matrices reaches, at its best, on so many cores."""
    a, b = torch.rand(MATRIX_SIDE, MATRIX_SIDE), torch.rand(MATRIX_SIDE, MATRIX_SIDE)
    seconds = []
    for _ in range(TRIALS):
        started = Span.now()
        torch.mm(a, b)
        seconds.append((Span.now() - started).processor)
    return threads * 2 * MATRIX_SIDE**3 / min(seconds)


def samples_by_size(known: TrainingSet, steps: int) -> Counter[Size]:
    """How many crops of each height and width the training will see."""
    samples: Counter[Size] = Counter()
    for crops in islice(crops_of(known), steps):
        samples[crops[0].image.shape[:2]] += len(crops)
    return samples


def forward_flops(detector: DemoDetector, sizes: Sequence[Size]) -> dict[Size, int]:
    """FLOPs of a forward pass over one picture, counted in the graph, by height and width."""
    height, width = sizes[0]
    network = to_onnx(detector.state_dict(), detector.class_count, height=height, width=width)
    return {size: count_flops(network, size=size).forward for size in sizes}


def first_layer_flops(detector: DemoDetector, size: Size) -> float:
    """FLOPs of the first convolution on a picture: one of its two passes back is left out, to the picture itself."""
    first = detector.to_8[0][0]
    return 2 * first.weight.numel() * size[0] * size[1] / (first.stride[0] * first.stride[1])


def estimate_of(flops: float, parameters: int, peak: float, folder: Path) -> Estimate:
    """What `clipmill budget --flops F --kind vision --accelerator this-machine.toml --count 1` estimates."""
    file = folder / "this-machine.toml"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    file.write_text(MACHINE.format(date=datetime.now(UTC).date(), peak=peak, memory=memory), encoding="utf-8")
    own = OwnFacts()
    name = own.name("accelerators", str(file))
    return FlopsRequest(
        flops=flops, kind=KIND, accelerator=name, count=1, parameters=parameters, own=own.text()
    ).answer()


def predict(known: TrainingSet, steps: int, threads: int, folder: Path) -> dict[str, Any]:
    """What the budget says, before anything is trained."""
    detector = fresh_detector(len(known.classes), SEED)
    parameters = sum(one.numel() for one in detector.parameters())
    samples = samples_by_size(known, steps)
    forward = forward_flops(detector, list(samples))
    passed = sum(forward[size] * count for size, count in samples.items())
    left_out = sum(first_layer_flops(detector, size) * count for size, count in samples.items())
    flops = STEP_OVER_FORWARD * passed
    peak = peak_flops(threads)
    estimate = estimate_of(float(flops), parameters, peak, folder)
    hours, reached = estimate.quantities["accelerator_hours"], estimate.detail.also["utilisation"]
    seconds = {name: getattr(hours, name) * SECONDS_PER_HOUR for name in QUANTILES}
    return {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "parameters": parameters,
        "steps": steps,
        "samples": {f"{width}x{height}": count for (height, width), count in sorted(samples.items())},
        "forward_flops": {f"{width}x{height}": forward[height, width] for height, width in sorted(forward)},
        "training_flops": flops,
        "step_over_forward": STEP_OVER_FORWARD - left_out / passed,
        "threads": threads,
        "peak_flops": peak,
        "utilisation": {name: getattr(reached, name) for name in QUANTILES},
        "published_runs": estimate.evidence,
        "seconds": seconds,
        "core_hours": {name: value * threads / SECONDS_PER_HOUR for name, value in seconds.items()},
    }


def digest(prediction: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(prediction, sort_keys=True).encode()).hexdigest()


def train(detector: DemoDetector, source: Iterator[Batch], steps: int) -> tuple[Span, Span]:
    """The whole of a training loop, and of it what passed while it waited for batches."""
    waits = []

    def timed() -> Iterator[Batch]:
        while True:
            asked = Span.now()
            batch = next(source)
            waits.append(Span.now() - asked)
            yield batch

    settings = Settings(NEVER, NEVER, LONG_SIDE, PEAK_RATE, SEED, steps)
    started = Span.now()
    fit(detector, timed(), settings, lambda _average, _figures: None)
    return Span.now() - started, sum(waits, NOTHING)


def with_forward_passes(
    crops: Iterator[list[LabelledFrame]], detector: DemoDetector, passes: list[Span]
) -> Iterator[Batch]:
    """Batches made when they are asked for, each passed forward once through a detector that learns nothing."""
    for one in crops:
        images, truth = to_batch(one)
        started = Span.now()
        with torch.no_grad():
            detector(images)
        passes.append(Span.now() - started)
        yield images, truth


def measure(known: TrainingSet, prediction: dict[str, Any]) -> dict[str, Any]:
    """Trains twice and puts the prediction beside it."""
    steps, threads = prediction["steps"], prediction["threads"]
    class_count = len(known.classes)
    # what happens once in a process is nothing beside a training of usual length
    train(fresh_detector(class_count, SEED), map(to_batch, crops_of(known)), WARM_UP_STEPS)
    passes: list[Span] = []
    detector = fresh_detector(class_count, SEED)
    source = with_forward_passes(crops_of(known), copy.deepcopy(detector).train(), passes)
    whole, making = train(detector, source, steps)
    loaded, waiting = train(fresh_detector(class_count, SEED), batches(crops_of(known)), steps)
    alone = whole - making
    return {
        "with_loading": figures(loaded, prediction),
        "steps_alone": figures(alone, prediction),
        "waiting_share": waiting.wall / loaded.wall,
        "step_over_forward": alone.processor / sum(passes, NOTHING).processor,
        "peak_after_over_before": peak_flops(threads) / prediction["peak_flops"],
    }


def figures(span: Span, prediction: dict[str, Any]) -> dict[str, float]:
    """A training in the terms of the prediction."""
    core_hours = span.processor / SECONDS_PER_HOUR
    per_core = prediction["peak_flops"] / prediction["threads"]
    return {
        "seconds": span.wall,
        "core_hours": core_hours,
        "over_median": core_hours / prediction["core_hours"]["p50"],
        "utilisation": prediction["training_flops"] / (span.processor * per_core),
        "cores": span.processor / span.wall,
    }


def place(value: float, interval: dict[str, float]) -> str:
    """Where a value lies, as text."""
    if value < interval["p10"]:
        return f"OUTSIDE, {interval['p10'] / value:.1f} times less than the least"
    if value > interval["p90"]:
        return f"OUTSIDE, {value / interval['p90']:.1f} times more than the most"
    return "inside"


def prediction_lines(prediction: dict[str, Any]) -> Iterator[str]:
    seconds, hours, share = (prediction[name] for name in ("seconds", "core_hours", "utilisation"))
    crops = sum(prediction["samples"].values())
    yield f"predicted {prediction['made_at']}, sha256 {digest(prediction)}"
    yield f"  {prediction['steps']} steps, {crops:,} crops, {prediction['training_flops']:.4g} FLOP"
    yield f"  peak {prediction['peak_flops']:.3g} FLOP/s, {prediction['threads']} threads, float32"
    yield (
        f"  utilisation {share['p50']:.1%} ({share['p10']:.1%} to {share['p90']:.1%}) "
        f"from {prediction['published_runs']} published runs"
    )
    yield f"  {hours['p50']:.4f} core-hours ({hours['p10']:.4f} to {hours['p90']:.4f})"
    yield f"  {seconds['p50']:.0f} s ({seconds['p10']:.0f} to {seconds['p90']:.0f}) if the machine does nothing else"


def measured_lines(prediction: dict[str, Any], measured: dict[str, Any]) -> Iterator[str]:
    yield f"measured, against the prediction of sha256 {digest(prediction)}"
    for name in ("with_loading", "steps_alone"):
        one = measured[name]
        yield (
            f"  {name.replace('_', ' ')}: {one['core_hours']:.4f} core-hours, {one['over_median']:.2f} of the median: "
            f"{place(one['core_hours'], prediction['core_hours'])}"
        )
        yield (
            f"    utilisation {one['utilisation']:.1%}; {one['seconds']:.0f} s on {one['cores']:.2f} cores got: "
            f"{place(one['seconds'], prediction['seconds'])}"
        )
    yield f"  waiting for batches: {measured['waiting_share']:.1%} of the seconds with loading"
    yield (
        f"  step over forward pass: {measured['step_over_forward']:.2f} in time, "
        f"{prediction['step_over_forward']:.2f} in FLOPs, {STEP_OVER_FORWARD} by the rule"
    )
    yield f"  peak after over before: {measured['peak_after_over_before']:.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], allow_abbrev=False)
    parser.add_argument("--steps", type=int, default=150, help="of each of the two trainings (default: 150)")
    parser.add_argument("--worlds", type=int, default=12, help="that are rendered (default: 12)")
    parser.add_argument("--threads", type=int, default=2, help="of the CPU (default: 2)")
    parser.add_argument("--json", action="store_true", help="two lines of JSON: prediction and measured")
    options = parser.parse_args()
    if "OMP_WAIT_POLICY" not in os.environ:
        # threads that spin while they wait would look like work; torch reads this once, when it is loaded
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        write_shards(Path(folder), range(FIRST_WORLD, FIRST_WORLD + options.worlds))
        known = read_training_set(Path(folder))
        prediction = predict(known, options.steps, options.threads, Path(folder))
    lines = [json.dumps({"prediction": prediction, "sha256": digest(prediction)})]
    print(*(lines if options.json else prediction_lines(prediction)), sep="\n", flush=True)
    measured = measure(known, prediction)
    print(*([json.dumps(measured)] if options.json else measured_lines(prediction, measured)), sep="\n")


if __name__ == "__main__":
    main()
