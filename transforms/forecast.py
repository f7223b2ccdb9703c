"""Stage: what a run would do, without doing it."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
from apache_beam.pvalue import AsList, PCollection

from transforms.clips.refs import Failure, InputFile
from transforms.clips.shards import Duplicate
from transforms.judge import Judgement
from transforms.tables.commits import ShardSummary


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardForecast:
    """What would become of a shard.

    Attributes:
        shard: its name.
        fate: label, take_over or keep.
        reasons: why it would be labelled: new, damaged, failed, clips, options, models, code.
        uris: its clips.
        camera_ns: length of its clips, all cameras together.
    """

    shard: str
    fate: str
    reasons: tuple[str, ...]
    uris: tuple[str, ...]
    camera_ns: int


class WriteForecast(beam.PTransform[Mapping[str, PCollection[Any]], PCollection[None]]):
    """Writes what would be done as JSON.

    Takes `judged` (judgements of all planned shards), `files`, `duplicates`, `failures` and `left` as the stages of a
    run have them.

    Args:
        path: a file of this machine.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path

    def expand(self, found: Mapping[str, PCollection[Any]]) -> PCollection[None]:
        """Brings the forecasts to one worker."""
        forecasts = found["judged"] | "Forecast" >> beam.Map(forecast)
        sides = {name: AsList(found[name]) for name in ("files", "duplicates", "failures", "left")}
        return (
            forecasts.pipeline
            | "Once" >> beam.Create([self._path])
            | "Write" >> beam.Map(_write, AsList(forecasts), **sides)
        )


def forecast(judgement: Judgement) -> ShardForecast:
    """What would become of a shard."""
    plan = judgement.plan
    fate = "keep" if judgement.standing else "take_over" if judgement.in_base else "label"
    windows = (min(part.stop_ns, part.clip.duration_ns) - part.start_ns for part in plan.parts)
    return ShardForecast(
        shard=plan.name,
        fate=fate,
        reasons=judgement.reasons,
        uris=tuple(part.clip.uri for part in plan.parts),
        camera_ns=sum(max(0, length_ns) for length_ns in windows),
    )


def _write(
    path: str,
    forecasts: Sequence[ShardForecast],
    *,
    files: Sequence[InputFile],
    duplicates: Sequence[Duplicate],
    failures: Sequence[Failure],
    left: Sequence[ShardSummary],
) -> None:
    ordered = sorted(forecasts, key=lambda item: item.shard)
    work = [item for item in ordered if item.fate == "label"]
    fates = Counter(item.fate for item in ordered)
    reasons = Counter(reason for item in work for reason in item.reasons)
    content = {
        "clips": {
            "found": len(files) + sum(failure.stage == "discover" for failure in failures),
            "failed": len(failures),
            "duplicate": len(duplicates),
            "to_label": len({uri for item in work for uri in item.uris}),
        },
        "shards": {fate: fates.get(fate, 0) for fate in ("label", "take_over", "keep")},
        "reasons": dict(sorted(reasons.items())),
        "camera_hours": sum(item.camera_ns for item in work) / 3.6e12,
        "left_over_shards": len(left),
        "failures": [asdict(failure) for failure in sorted(failures, key=lambda item: item.uri)],
        "work": [asdict(item) for item in work],
    }
    Path(path).write_text(json.dumps(content), encoding="utf-8")
