"""Which labels are worth looking at: of each category the best, the worst, the least sure and the most changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from transforms.views.report.labels import MOST_CATEGORIES
from transforms.views.report.sections import Tables

KINDS: Final = {
    "best": "the highest score",
    "worst": "the lowest score that exports keep (from 0.3 on)",
    "uncertain": "the score nearest to one half",
    "changed": "what hindsight changed most: score, category and box together",
}
"""Kinds of examples, and what makes one."""

MOST_EXAMPLES: Final = 64
"""Examples of a report: what a person looks through, and what keeps it small."""

_MOST_OF_A_KIND: Final = 4
_MOST_BOXES: Final = 200

Edges = tuple[float, float, float, float]
"""x_min, y_min, x_max, y_max in pixels of the frame as displayed."""

_CATEGORIES: Final = (
    "SELECT category FROM detections GROUP BY category ORDER BY count(*) DESC, category LIMIT ?"
)

# one candidate of each kind a minute of a clip, then the first of these: examples come from all over the data set;
# of equal ones (to a hundredth) the largest box is seen best
_CHOSEN: Final = """
    WITH sound AS (
        SELECT category, clip_id, timestamp_ns // 60000000000 AS minute, detection_id, label_source, score, score_raw,
               category_raw, (x_max_px - x_min_px)::DOUBLE * (y_max_px - y_min_px) AS area,
               (raw_x_max_px - raw_x_min_px)::DOUBLE * (raw_y_max_px - raw_y_min_px) AS raw_area,
               greatest(0, least(x_max_px, raw_x_max_px)::DOUBLE - greatest(x_min_px, raw_x_min_px))
               * greatest(0, least(y_max_px, raw_y_max_px)::DOUBLE - greatest(y_min_px, raw_y_min_px)) AS common
        FROM detections
        -- files' statistics leave NaN out, and comparisons are answered by them
        WHERE isfinite(score) AND score BETWEEN 0 AND 1
          AND isfinite(x_min_px + y_min_px + x_max_px + y_max_px) AND abs(x_min_px) < 1e6 AND abs(y_min_px) < 1e6
          AND abs(x_max_px) < 1e6 AND abs(y_max_px) < 1e6
    ), measured AS (
        SELECT *, abs(score - score_raw) + greatest(score, score_raw)
               * ((category <> category_raw)::INT + 1 - common / greatest(area + raw_area - common, 1)) AS change
        FROM sound
    ), apart AS (
        SELECT category, clip_id, minute,
               max({'key': round(score::DOUBLE, 2), 'size': area, 'id': detection_id}) FILTER (label_source = 'detected') AS best,
               min({'key': round(score::DOUBLE, 2), 'size': -area, 'id': detection_id}) FILTER (score >= 0.3) AS worst,
               min({'key': round(abs(score::DOUBLE - 0.5), 2), 'size': -area, 'id': detection_id}) AS uncertain,
               max({'key': change::DOUBLE, 'size': area, 'id': detection_id}) FILTER (isfinite(change)) AS changed
        FROM measured GROUP BY ALL
    ), listed AS (
        SELECT category, 'best' AS kind, best.key AS key, best.size AS size, best.id AS id FROM apart WHERE best IS NOT NULL
        UNION ALL SELECT category, 'worst', -worst.key, -worst.size, worst.id FROM apart WHERE worst IS NOT NULL
        UNION ALL SELECT category, 'uncertain', -uncertain.key, -uncertain.size, uncertain.id FROM apart WHERE uncertain IS NOT NULL
        UNION ALL SELECT category, 'changed', changed.key, changed.size, changed.id FROM apart WHERE changed.key > 0
    )
    SELECT category, kind, id FROM listed
    QUALIFY row_number() OVER (PARTITION BY category, kind ORDER BY key DESC, size DESC, id) <= ?
    ORDER BY category, kind, key DESC, size DESC, id"""

_ROWS: Final = """
    SELECT d.detection_id, d.frame_id, d.category, d.score, d.label_source, d.category_raw, d.score_raw,
           d.x_min_px, d.y_min_px, d.x_max_px, d.y_max_px,
           d.raw_x_min_px, d.raw_y_min_px, d.raw_x_max_px, d.raw_y_max_px,
           f.pts, f.timestamp_ns, f.width, f.height, c.clip_id, c.camera, c.uri, c.bytes, c.content_sha256
    FROM detections d JOIN frames f USING (frame_id) JOIN clips c ON c.clip_id = d.clip_id
    WHERE list_contains(?, d.detection_id) AND c.duplicate_of IS NULL"""

_OTHERS: Final = """
    SELECT frame_id, detection_id, category, x_min_px, y_min_px, x_max_px, y_max_px FROM detections
    WHERE list_contains(?, frame_id) AND isfinite(score) AND score >= 0.3
    ORDER BY frame_id, score DESC, detection_id"""

_DANGEROUS: Final = """
    SELECT DISTINCT clip_id FROM failures WHERE error IN ('crashed_decoder', 'timeout') AND clip_id <> ''"""


@dataclass(frozen=True, slots=True)
class Outline:
    """A box on a frame: its category and its edges."""

    category: str
    edges: Edges


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A label that is worth looking at, with its frame.

    Attributes:
        kind: one of `KINDS`.
        detection_id: its row.
        box: what it labels, and where.
        score: final score.
        label_source: detected, interpolated, ...
        network: the box as the network gave it, with its category; None where hindsight added the row.
        score_raw: the network's score; None where hindsight added the row.
        others: boxes of the same frame with a score of 0.3 and more, the surest first.
        pts: of the frame.
        timestamp_ns: of the frame, since the clip's first.
        width: of the frame as displayed, in pixels.
        height: the same.
        camera: the clip's camera.
        clip_id: the clip.
        uri: its place.
        bytes: of the file that was labelled.
        content_sha256: digest of the bytes that were labelled.
        is_dangerous: whether the clip has made the decoder crash or hang.
    """

    kind: str
    detection_id: str
    box: Outline
    score: float
    label_source: str
    network: Outline | None
    score_raw: float | None
    others: tuple[Outline, ...]
    pts: int
    timestamp_ns: int
    width: int
    height: int
    camera: str
    clip_id: str
    uri: str
    bytes: int
    content_sha256: str
    is_dangerous: bool


def choose(tables: Tables) -> list[Example]:
    """The examples of a data set: by category, the most frequent first, and kind.

    Args:
        tables: the data set.

    Returns:
        `MOST_EXAMPLES` at most; the same for the same data set.
    """
    categories = [row["category"] for row in tables.ask(_CATEGORIES, [MOST_CATEGORIES])]
    if not categories:
        return []
    of_a_kind = max(1, min(_MOST_OF_A_KIND, MOST_EXAMPLES // (len(KINDS) * len(categories))))
    chosen = [row for row in tables.ask(_CHOSEN, [of_a_kind]) if row["category"] in categories]
    order = list(KINDS)
    chosen.sort(key=lambda row: (categories.index(row["category"]), order.index(row["kind"])))
    rows = {row["detection_id"]: row for row in tables.ask(_ROWS, [[row["id"] for row in chosen]])}
    others: dict[str, list[dict[str, Any]]] = {}
    for row in tables.ask(_OTHERS, [sorted({row["frame_id"] for row in rows.values()})]):
        others.setdefault(row["frame_id"], []).append(row)
    dangerous = {row["clip_id"] for row in tables.ask(_DANGEROUS)}
    return [
        _example(
            item["kind"], found, others.get(found["frame_id"], ()), is_dangerous=found["clip_id"] in dangerous
        )
        for item in chosen
        if (found := rows.get(item["id"])) is not None
    ]


def _example(
    kind: str, row: dict[str, Any], others: Sequence[dict[str, Any]], *, is_dangerous: bool
) -> Example:
    network = _edges(row, "raw_")
    around = [its for its in others if its["detection_id"] != row["detection_id"]][:_MOST_BOXES]
    box = _edges(row)
    assert box is not None
    return Example(
        kind=kind,
        detection_id=row["detection_id"],
        box=Outline(row["category"], box),
        score=row["score"],
        label_source=row["label_source"],
        network=Outline(row["category_raw"] or "", network) if network is not None else None,
        score_raw=row["score_raw"],
        others=tuple(Outline(its["category"], edges) for its in around if (edges := _edges(its)) is not None),
        is_dangerous=is_dangerous,
        **{
            name: row[name]
            for name in (
                "pts",
                "timestamp_ns",
                "width",
                "height",
                "camera",
                "clip_id",
                "uri",
                "bytes",
                "content_sha256",
            )
        },
    )


def _edges(row: dict[str, Any], prefix: str = "") -> Edges | None:
    """Edges of a box; None where it has none that can be drawn."""
    found = tuple(row[f"{prefix}{name}_px"] for name in ("x_min", "y_min", "x_max", "y_max"))
    if not all(edge is not None and abs(edge) < 1e6 for edge in found):  # noqa: PLR2004 - wider than any frame
        return None
    return found[0], found[1], found[2], found[3]
