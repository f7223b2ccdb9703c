"""An evaluation on a terminal: a headline, and tables of at most 100 columns."""

from collections.abc import Iterator, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Final

from rich import box
from rich.table import Table

from transforms.evaluation.additions import Added, all_added
from transforms.evaluation.answer import means_of_tracking, total_added, total_recovery
from transforms.evaluation.breakdowns import Group
from transforms.evaluation.evaluating import Evaluation

if TYPE_CHECKING:
    from rich.console import RenderableType

WIDTH: Final = 100
"""Columns that the widest line has."""

_LONGEST_NAME: Final = 20
_NAMED: Final = 3
_MEAN: Final = "mean"


def evaluation_text(found: Evaluation, judged: str, by: str) -> "tuple[RenderableType, ...]":
    """Everything that people want to know of an evaluation, the headline first.

    Args:
        found: the evaluation.
        judged: what was judged.
        by: what it was judged by.
    """
    return (
        _wrapped(_headline(found)),
        *(_wrapped(note) for note in _compared(found, judged, by)),
        *(() if not found.categories else _tables(found)),
    )


def _tables(found: Evaluation) -> "Iterator[RenderableType]":
    yield _precision(found)
    if any(one.tracking for one in found.categories.values()):
        yield _tracking(found)
    if found.breakdowns:
        yield _breakdowns(found)
    if total_added(found) or total_recovery(found):
        yield _hindsight(found)
    yield _wrapped(_calibration(found))


def _headline(found: Evaluation) -> str:
    if found.mean is None:
        return "nothing to judge: the truth has no box of a category that was looked for on the common frames"
    text = f"AP50 {_figure(found.mean.ap50)}, AP {_figure(found.mean.ap)}"
    if found.raw_mean is not None:
        text += f" (network alone: {_figure(found.raw_mean.ap50)}, {_figure(found.raw_mean.ap)})"
    at_score, _ = means_of_tracking(found)
    if at_score is not None:
        text += f", HOTA {_figure(at_score.hota)}, IDF1 {_figure(at_score.idf1)} at score {found.score:g}"
    return f"{text}; {_count(len(found.categories), 'category', 'categories')}"


def _compared(found: Evaluation, judged: str, by: str) -> Iterator[str]:
    """What was compared, and what could not be."""
    common = found.common
    yield (
        f"{judged} against {by}: {_count(len(common.clips.label_of), 'clip')}, "
        f"{_count(common.frames.num_rows, 'frame')}"
    )
    lost = common.truth_frames - common.frames.num_rows
    if lost:
        yield (
            f"note: {lost} of {common.truth_frames} frames of the truth have no labelled frame within "
            f"{common.tolerance_ns / 1e6:.3g} ms"
        )
    for names, what in (
        (common.clips.unmatched, "not among the labels"),
        (common.clips.ambiguous, "named like several of the labels: use clip_id"),
        (common.clips.repeated, "the same clip as another one"),
    ):
        if names:
            yield f"note: {_count(len(names), 'clip')} of the truth {what}: {_some(names)}"
    if found.not_looked_for:
        yield f"not looked for, and not in the mean: {', '.join(found.not_looked_for)}"
    if found.categories and not any(one.tracking for one in found.categories.values()):
        yield "note: no tracking figures: the truth or the labels have no tracks"


def _precision(found: Evaluation) -> Table:
    raw = found.raw_mean is not None
    table = _table("boxes", "category", "truth", "labels", "AP", "AP50", "AP75", "recall50")
    for name in ("raw AP", "raw AP50", "raw AP75") if raw else ():
        table.add_column(name, justify="right")
    rows = [(name, one.precision, one.raw) for name, one in found.categories.items()]
    assert found.mean is not None
    for name, figures, own in [*rows, (_MEAN, found.mean, found.raw_mean)]:
        cells = [figures.ap, figures.ap50, figures.ap75, figures.recall50]
        cells += [own.ap, own.ap50, own.ap75] if own is not None else []
        table.add_row(_short(name), str(figures.truth), str(figures.labels), *map(_figure, cells))
    return table


def _tracking(found: Evaluation) -> Table:
    names = ("HOTA", "DetA", "AssA", "IDF1", "MOTA", "switches")
    title = f"tracks at score {found.score:g}, and at each category's best"
    table = _table(title, "category", *names, "best at", "HOTA", "IDF1", "MOTA", "switches")
    for name, one in found.categories.items():
        if one.tracking is None:
            continue
        now, best = one.tracking.figures, one.tracking.best
        table.add_row(
            _short(name),
            *map(_figure, (now.hota, now.deta, now.assa, now.idf1, now.mota)),
            str(now.switches),
            f"{one.tracking.best_score:g}",
            *map(_figure, (best.hota, best.idf1, best.mota)),
            str(best.switches),
        )
    mean, best_mean = means_of_tracking(found)
    assert mean is not None
    assert best_mean is not None
    table.add_row(
        _MEAN,
        *map(_figure, (mean.hota, mean.deta, mean.assa, mean.idf1, mean.mota)),
        str(mean.switches),
        "",
        *map(_figure, (best_mean.hota, best_mean.idf1, best_mean.mota)),
        str(best_mean.switches),
    )
    return table


def _breakdowns(found: Evaluation) -> Table:
    """All breakdowns; a column for each of the categories with most truth, as many as fit."""
    widths = (_LONGEST_NAME, 12, 8, 8, 10)
    room = WIDTH - sum(widths)
    order = sorted(found.categories, key=lambda name: -found.categories[name].precision.truth)
    shown: list[str] = []
    for name in order:
        room -= max(len(_short(name)), 5) + 2
        if room < 0:
            break
        shown.append(name)
    table = _table("AP50 by", "", "group", "truth", "mean", "recall50", *map(_short, shown))
    for what, groups in found.breakdowns.items():
        for place, group in enumerate(groups):
            table.add_row(what if not place else "", *_group(group, shown))
    return table


def _group(group: Group, shown: Sequence[str]) -> Iterator[str]:
    yield _short(group.name)
    yield str(group.mean.truth)
    yield _figure(group.mean.ap50)
    yield _figure(group.mean.recall50)
    for name in shown:
        part = group.categories.get(name)
        yield "" if part is None else _figure(part.ap50)


def _hindsight(found: Evaluation) -> Table:
    table = _table(
        f"hindsight at score {found.score:g}", "", "rows", "right", "wrong", "left out", "share right"
    )
    added = total_added(found)
    for source, part in added.items():
        table.add_row(source, *_added(part))
    if len(added) > 1:
        table.add_row("all added", *_added(all_added(added)))
    recovered = total_recovery(found)
    if recovered is not None:
        share = "" if recovered.share is None else _figure(recovered.share)
        lost = recovered.missed - recovered.recovered
        name = "missed, recovered"
        table.add_row(name, str(recovered.missed), str(recovered.recovered), str(lost), "", share)
    return table


def _added(part: Added) -> Iterator[str]:
    yield str(part.right + part.wrong + part.left_out)
    yield str(part.right)
    yield str(part.wrong)
    yield str(part.left_out)
    yield "" if part.precision is None else _figure(part.precision)


def _calibration(found: Evaluation) -> str:
    text = "expected calibration error: "
    text += "no label counts" if found.calibration.error is None else _figure(found.calibration.error)
    if found.raw_calibration is not None and found.raw_calibration.error is not None:
        text += f" (network alone: {_figure(found.raw_calibration.error)})"
    return text


def _table(title: str, first: str, *columns: str) -> Table:
    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0)
    )
    table.add_column(first)
    for name in columns:
        table.add_column(name, justify="right")
    return table


def _figure(value: float) -> str:
    """Three digits after the point, without the zero before it.

    >>> _figure(0.5), _figure(1.0), _figure(-0.25)
    ('.500', '1.000', '-.250')
    """
    return f"{value:.3f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.3f}"


def _count(number: int, one: str, many: str | None = None) -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _wrapped(text: str) -> str:
    return fill(text, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
