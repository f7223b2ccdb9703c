"""Trains the bundled detector: `python -m models.training.train FRAMES --out DIR --minutes 30 --seed 0`.

FRAMES is a folder of shards as `models.training.frames` describes them; some are held out to watch. DIR gets, again
and again while the training runs: `weights.pt` (averaged weights, classes, progress), `demo.onnx` and `log.jsonl`.
"""

import argparse
import copy
import json
import math
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from models.training.export import save, to_onnx
from models.training.frames import LabelledFrame, random_crops
from models.training.losses import Truth, losses
from models.training.network import DemoDetector
from models.training.training_set import read_training_set
from models.training.validation import validate

AVERAGING: Final = 0.998
"""Share of the old average that stays at each step; the exported weights are such an average."""
WARM_UP: Final = 0.03
"""Share of the training in which the learning rate rises."""
WEIGHT_DECAY: Final = 0.03
MAX_GRADIENT: Final = 10.0


@dataclass(frozen=True, slots=True)
class Settings:
    """What a training run is told.

    Attributes:
        minutes: how long it takes, wall time; the learning rate falls to nothing over it.
        report_minutes: time between checkpoints.
        long_side: of the network's input for a whole frame, pixels.
        peak_rate: the highest learning rate.
        seed: of weights, order and crops.
        steps: length in steps instead, whatever time they take; None = `minutes` is the length.
    """

    minutes: float
    report_minutes: float
    long_side: int
    peak_rate: float
    seed: int
    steps: int | None = None

    def progress(self, minutes: float, step: int) -> float:
        """Share of the training that is over, 0..1 and, where time counts, a little beyond.

        Args:
            minutes: since it began.
            step: steps done.
        """
        return minutes / self.minutes if self.steps is None else step / self.steps


def fresh_detector(class_count: int, seed: int) -> DemoDetector:
    """A detector with random weights, laid out as convolutions run fastest.

    Args:
        class_count: how many classes it tells apart.
        seed: of the weights.
    """
    torch.manual_seed(seed)
    detector: DemoDetector = DemoDetector(class_count).to(memory_format=torch.channels_last)
    return detector


def to_batch(crops: Sequence[LabelledFrame]) -> tuple[Tensor, Truth]:
    """Images float32[B, 3, side, side] and their objects."""
    images = torch.from_numpy(np.stack([one.image for one in crops])).permute(0, 3, 1, 2).float()
    image_of = torch.from_numpy(np.repeat(np.arange(len(crops)), [len(one.boxes) for one in crops]))
    boxes = torch.from_numpy(np.concatenate([one.boxes for one in crops]))
    classes = torch.from_numpy(np.concatenate([one.classes for one in crops]))
    counts = classes >= 0
    return images.contiguous(memory_format=torch.channels_last), Truth(
        image_of[counts], boxes[counts], classes[counts], image_of[~counts], boxes[~counts]
    )


def batches(crops: Iterator[list[LabelledFrame]]) -> Iterator[tuple[Tensor, Truth]]:
    """Batches made ahead in one thread, as OpenCV works without the interpreter's lock."""
    ahead: queue.Queue[tuple[Tensor, Truth]] = queue.Queue(maxsize=4)

    def fill() -> None:
        while True:
            ahead.put(to_batch(next(crops)))

    threading.Thread(target=fill, daemon=True).start()
    while True:
        yield ahead.get()


def rate(progress: float) -> float:
    """Learning rate over the highest one at a share of the training, 0..1: a short rise, then half a cosine.

    >>> rate(0.0) < rate(WARM_UP) == 1.0
    True
    >>> round(rate(1.0), 9)
    0.0
    """
    if progress < WARM_UP:
        return 0.05 + 0.95 * progress / WARM_UP
    return (1 + math.cos(math.pi * min(1.0, (progress - WARM_UP) / (1 - WARM_UP)))) / 2


def average_into(average: nn.Module, current: nn.Module, step: int) -> None:
    """Moves the averaged weights towards the current ones; faster in the first steps."""
    keep = min(AVERAGING, (1 + step) / (10 + step))
    with torch.no_grad():
        for old, new in zip(average.state_dict().values(), current.state_dict().values(), strict=True):
            if old.dtype.is_floating_point:
                old.mul_(keep).add_(new, alpha=1 - keep)
            else:
                old.copy_(new)


def optimizer_for(detector: nn.Module) -> torch.optim.Optimizer:
    """AdamW that decays the convolutions' weights and nothing else."""
    decayed = [one for one in detector.parameters() if one.ndim > 1]
    others = [one for one in detector.parameters() if one.ndim <= 1]
    return torch.optim.AdamW(
        [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}],
        betas=(0.9, 0.99),
    )


def fit(
    detector: DemoDetector,
    source: Iterator[tuple[Tensor, Truth]],
    settings: Settings,
    report: Callable[[DemoDetector, dict[str, float]], None],
) -> DemoDetector:
    """Trains until the time is over, or the steps are done.

    Args:
        detector: fresh.
        source: endless batches.
        settings: of the run.
        report: is given the averaged detector and the figures since the last report.

    Returns:
        The averaged detector.
    """
    average: DemoDetector = copy.deepcopy(detector).eval()
    optimizer = optimizer_for(detector)
    detector.train()
    started = time.monotonic()
    step, minutes, next_report, sums = 0, 0.0, settings.report_minutes, torch.zeros(4)
    while (progress := settings.progress(minutes, step)) < 1:
        for group in optimizer.param_groups:
            group["lr"] = settings.peak_rate * rate(progress)
        images, truth = next(source)
        parts = losses(detector(images), truth, images.shape[2], images.shape[3])
        optimizer.zero_grad()
        parts.total.backward()
        nn.utils.clip_grad_norm_(detector.parameters(), MAX_GRADIENT)
        optimizer.step()
        average_into(average, detector, step)
        step += 1
        minutes = (time.monotonic() - started) / 60
        sums += torch.tensor([parts.box.item(), parts.objectness.item(), parts.classes.item(), 1.0])
        if minutes >= next_report:
            box, objectness, classes = (sums[:3] / sums[3]).tolist()
            report(
                average,
                {
                    "minutes": minutes,
                    "step": step,
                    "loss_box": box,
                    "loss_objectness": objectness,
                    "loss_classes": classes,
                },
            )
            next_report += settings.report_minutes
            sums.zero_()
    report(average, {"minutes": minutes, "step": step})
    return average


def train(frames: Path, out: Path, settings: Settings, start: Path | None = None) -> None:
    """Trains on a folder of shards and writes what the module's docstring names.

    Args:
        frames: the folder.
        out: where to write to.
        settings: of the run.
        start: `weights.pt` of an earlier run to go on from.
    """
    known = read_training_set(frames)
    classes = list(known.classes)
    out.mkdir(parents=True, exist_ok=True)
    detector = fresh_detector(len(classes), settings.seed)
    if start:
        detector.load_state_dict(torch.load(start, weights_only=True)["weights"])

    def report(average: DemoDetector, figures: dict[str, float]) -> None:
        ap = validate(average, known.store, known.watched, settings.long_side)
        line = {key: round(value, 4) for key, value in figures.items()}
        line |= {"ap50": round(float(np.nanmean(ap)), 4)}
        line |= {
            f"ap50_{name}": round(one, 4) for name, one in zip(classes, ap, strict=True) if not np.isnan(one)
        }
        with (out / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)  # noqa: T201  # a training run is watched from a terminal
        weights = {key: value.contiguous().clone() for key, value in average.state_dict().items()}
        torch.save({"weights": weights, "classes": classes, "figures": line}, out / "weights.pt")
        save(to_onnx(weights, len(classes), height=256, width=416), out / "demo.onnx")

    crops = random_crops(known.store, known.used, long_side=settings.long_side, seed=settings.seed)
    fit(detector, batches(crops), settings, report)


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line of the training."""
    parser = argparse.ArgumentParser(
        prog="python -m models.training.train", description=__doc__, allow_abbrev=False
    )
    parser.add_argument("frames", type=Path, help="folder of .npz shards")
    parser.add_argument("--out", type=Path, required=True, help="folder for weights, network and log")
    parser.add_argument("--minutes", type=float, default=30.0, help="how long to train (default: 30)")
    parser.add_argument(
        "--report-minutes", type=float, default=2.5, help="time between checkpoints (default: 2.5)"
    )
    parser.add_argument(
        "--size", type=int, default=960, help="long side of the network's input (default: 960)"
    )
    parser.add_argument(
        "--peak-rate", type=float, default=3e-3, help="highest learning rate (default: 0.003)"
    )
    parser.add_argument("--start", type=Path, help="weights.pt of an earlier run to go on from")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and crops (default: 0)")
    parser.add_argument("--threads", type=int, default=2, help="of the CPU (default: 2)")
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    train(
        options.frames,
        options.out,
        Settings(options.minutes, options.report_minutes, options.size, options.peak_rate, options.seed),
        options.start,
    )


if __name__ == "__main__":
    main()
