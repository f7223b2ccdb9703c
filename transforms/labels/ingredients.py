"""What a shard's rows are made from: digests that change exactly when the rows might."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from models.refs import ModelRef
from models.taxonomy import TAXONOMY_VERSION
from transforms.clips.shards import ShardPlan
from transforms.labels.settings import LABELLING_VERSION, TRACKING_VERSION, LabelSettings
from transforms.tables.digests import digest
from transforms.tables.schemas import SCHEMA_VERSION


def ingredients(plan: ShardPlan, settings: LabelSettings, models: Sequence[ModelRef]) -> dict[str, str]:
    """The digests of all that a shard's rows depend on, by what it is; never a file's time of change.

    Args:
        plan: the clips, with every fact that reaches a row.
        settings: options of labelling.
        models: the networks.

    Returns:
        Digests of `clips`, `options`, `models` and `code`.
    """
    contexts = [
        part.context
        and (
            part.context.clip.content_sha256,
            part.context.start_ns,
            part.context.stop_ns,
            part.context.offset_ns,
        )
        for part in plan.parts
    ]
    return {
        "clips": digest(
            {
                "drive": plan.drive_id,
                "events": plan.event_ids,
                "parts": [(part.clip, part.start_ns, part.stop_ns) for part in plan.parts],
                "contexts": contexts,
            }
        ),
        "options": _options(settings),
        "models": digest([model.digest for model in models]),
        "code": code_digest(),
    }


CORRECTED: Final = "corrections"
"""What people corrected: only shards that hold corrections are made of any."""


def with_corrections(made_from: Mapping[str, str], digest_of_corrections: str | None) -> dict[str, str]:
    """What a shard is made of, with or without corrections.

    Args:
        made_from: see `ingredients`.
        digest_of_corrections: of those that are applied to it; None = there are none.
    """
    others = {name: value for name, value in made_from.items() if name != CORRECTED}
    return others if digest_of_corrections is None else {**others, CORRECTED: digest_of_corrections}


@lru_cache(maxsize=16)
def _options(settings: LabelSettings) -> str:
    return digest(settings)


@lru_cache(maxsize=1)
def code_digest() -> str:
    """The digest of the versions of all that makes rows."""
    return digest(
        {
            "schema": SCHEMA_VERSION,
            "labelling": LABELLING_VERSION,
            "taxonomy": TAXONOMY_VERSION,
            "tracking": TRACKING_VERSION,
        }
    )


def label_digest(made_from: Mapping[str, str]) -> str:
    """One digest over what a shard's rows are made from.

    Args:
        made_from: see `ingredients`.
    """
    return digest(made_from)
