"""What hindsight changed, and what it gained where somebody has measured it."""

from collections.abc import Iterator, Mapping
from typing import Final

from markupsafe import Markup
from pydantic import BaseModel, ConfigDict, FiniteFloat, ValidationError

from transforms.budget.amounts import count
from transforms.views.pages import table
from transforms.views.report.sections import Section, Tables, heading, number, paragraph, said, share

_MOST_CATEGORIES: Final = 40
_FIGURES: Final = {"ap50": "AP50", "ap": "AP", "ap75": "AP75", "recall50": "recall at IoU .5"}

_SOURCES: Final = """
    SELECT label_source, count(*) AS boxes, count(*) FILTER (score = 0) AS set_aside, avg(score) AS score
    FROM detections GROUP BY ALL ORDER BY boxes DESC, label_source LIMIT 20"""
_CHANGES: Final = """
    SELECT change, count(*) AS boxes FROM (SELECT unnest(changes) AS change FROM detections)
    GROUP BY ALL ORDER BY boxes DESC, change LIMIT 20"""
_DETECTED: Final = "SELECT count(score_raw) AS boxes FROM detections"


class EvaluationError(Exception):
    """What was given is no evaluation of this data set: what, and what to do."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Precision(_Record):
    ap: FiniteFloat | None = None
    ap50: FiniteFloat | None = None
    ap75: FiniteFloat | None = None
    recall50: FiniteFloat | None = None


class _Recovery(_Record):
    missed: int
    recovered: int


class _Added(_Record):
    right: int = 0
    wrong: int = 0


class _Hindsight(_Record):
    all_added: _Added = _Added()
    recovery: _Recovery | None = None


class _Error(_Record):
    error: FiniteFloat | None = None


class _Calibration(_Record):
    score: _Error | None = None
    score_raw: _Error | None = None


class _Judged(_Precision):
    raw: _Precision | None = None
    hindsight: _Hindsight | None = None
    calibration: _Calibration | None = None


class _Network(_Record):
    name: str | None = None
    digest: str | None = None


class _Frames(_Record):
    compared: int = 0


class Evaluation(_Record):
    """What the report needs of what `clipmill evaluate --json` prints.

    Attributes:
        truth: what the labels were judged by.
        model: the network whose labels were judged.
        frames: how many were compared.
        mean: figures of all categories.
        categories: figures by category.
    """

    truth: str = ""
    model: _Network | None = None
    frames: _Frames = _Frames()
    mean: _Judged
    categories: dict[str, _Judged] = {}


def read_evaluation(text: bytes, networks: Mapping[str, str]) -> Evaluation:
    """Reads what `clipmill evaluate --json` printed.

    Args:
        text: the JSON object.
        networks: names of the data set's networks by digest.

    Raises:
        EvaluationError: it is none, or of labels of another network.
    """
    try:
        found = Evaluation.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise EvaluationError(
            f"not what `clipmill evaluate DIR --truth TRUTH --json` prints ({where}: {first['msg']})"
        ) from error
    digest = found.model.digest if found.model else None
    if digest and digest not in networks:
        raise EvaluationError(
            f"judges labels of the network {said(digest)[:12]}, and this data set was labelled by "
            f"{', '.join(sorted(networks.values())) or 'none'}: evaluate this data set"
        )
    return found


def hindsight(tables: Tables, evaluation: Evaluation | None) -> Section:
    """What hindsight did to the labels, and its gain.

    Args:
        tables: the data set.
        evaluation: the labels judged by ground truth; None where nobody gave one.
    """
    parts = [_gain(evaluation) if evaluation else _how_to_measure(), _done(tables)]
    return Section("hindsight", "Gain of hindsight", Markup().join(parts))


def _how_to_measure() -> Markup:
    said_first = paragraph(
        "No gain is shown: it takes ground truth to measure it, and no evaluation was given. With boxes that people "
        "have drawn for some of these clips (Parquet, COCO, MOT or KITTI):"
    )
    commands = (
        "clipmill evaluate DIR --truth TRUTH --json > evaluation.json\n"
        "clipmill report DIR --evaluation evaluation.json"
    )
    return said_first + Markup("<pre>{}</pre>\n").format(commands)


def _gain(found: Evaluation) -> Markup:
    network = f", labels of {said(found.model.name)}" if found.model and found.model.name else ""
    parts = [
        paragraph(f"Judged by {said(found.truth)}{network}, on {count(found.frames.compared)} frames."),
        table(
            "The network alone, and with hindsight: mean of the categories",
            ("figure", "network alone", "with hindsight", "gain"),
            _means(found.mean),
        ),
        table(
            "AP50 by category",
            ("category", "network alone", "with hindsight", "gain"),
            (
                (said(name), *_pair(its.raw.ap50 if its.raw else None, its.ap50))
                for name, its in list(found.categories.items())[:_MOST_CATEGORIES]
            ),
        ),
    ]
    known = found.mean.hindsight
    if known and known.recovery and known.recovery.missed:
        back = known.recovery
        parts.append(
            paragraph(
                f"Of {count(back.missed)} true boxes that the network missed between the first and the last time it "
                f"found their object, the final labels find {count(back.recovered)} ({share(back.recovered, back.missed)})."
            )
        )
    if known and known.all_added.right + known.all_added.wrong:
        added = known.all_added
        parts.append(
            paragraph(
                f"Of the boxes that hindsight added, {count(added.right)} are right and {count(added.wrong)} wrong."
            )
        )
    return Markup().join(parts)


def _means(mean: _Judged) -> "Iterator[tuple[str, ...]]":
    for name, told in _FIGURES.items():
        yield (told, *_pair(getattr(mean.raw, name, None), getattr(mean, name)))
    if mean.calibration:
        raw, final = mean.calibration.score_raw, mean.calibration.score
        yield (
            "expected calibration error (less is better)",
            *_pair(raw.error if raw else None, final.error if final else None),
        )


def _pair(raw: float | None, final: float | None) -> tuple[str, str, str]:
    gain = "" if raw is None or final is None else f"{final - raw:+.3f}"
    return number(raw), number(final), gain


def _done(tables: Tables) -> Markup:
    detected = tables.ask(_DETECTED)[0]["boxes"]
    sources = tables.ask(_SOURCES)
    if not sources:
        return Markup()
    parts = [
        heading("What it did"),
        table(
            "Where labels come from",
            ("source", "boxes", "set aside as no object", "mean score"),
            (
                (
                    said(row["label_source"]),
                    count(row["boxes"]),
                    count(row["set_aside"]),
                    number(row["score"]),
                )
                for row in sources
            ),
        ),
        table(
            "What it changed of the boxes that the network saw",
            ("what", "boxes", "share"),
            (
                (said(row["change"]), count(row["boxes"]), share(row["boxes"], detected))
                for row in tables.ask(_CHANGES)
            ),
        ),
    ]
    return Markup().join(parts)
