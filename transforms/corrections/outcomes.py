"""What became of corrections in the labels as they are."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from transforms.corrections.correction import CORRECTING, NO_CLIP, Correction
from transforms.corrections.overlay import Corrected
from transforms.tables.commits import ShardSummary


def conflicts_of(corrections: Iterable[Correction], shards: Iterable[ShardSummary]) -> dict[str, str]:
    """Why corrections do not stand as they were said, by id; those that do are not among them.

    Args:
        corrections: all of them.
        shards: every committed shard.
    """
    found: dict[str, str] = {}
    labelled: set[str] = set()
    for shard in shards:
        found |= shard.conflicts
        labelled.update(clip for clip, _ in shard.clips)
    for item in corrections:
        if item.action in CORRECTING and item.clip_id not in labelled:
            found[item.correction_id] = NO_CLIP
    return found


def corrected(summary: ShardSummary, made: Corrected) -> ShardSummary:
    """The summary of a shard whose labels were corrected.

    Args:
        summary: as it was before.
        made: its labels.
    """
    rows = made.detections.num_rows
    return replace(
        summary,
        counts={**summary.counts, "detections": rows},
        tally=replace(summary.tally, detections=rows),
        conflicts={**summary.conflicts, **made.conflicts},
    )


def told(corrections: Iterable[Correction], conflicts: Mapping[str, str]) -> dict[str, Any]:
    """What became of corrections, in numbers.

    Args:
        corrections: all of them.
        conflicts: see `conflicts_of`.
    """
    said = [item.correction_id for item in corrections if item.action in CORRECTING]
    reasons = Counter(conflicts[name] for name in said if name in conflicts)
    return {
        "said": len(said),
        "applied": len(said) - reasons.total(),
        "conflicts": dict(sorted(reasons.items())),
    }
