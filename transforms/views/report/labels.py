"""What was labelled: categories and their scores, tracks, and how good the frames are."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from transforms.budget.amounts import count
from transforms.views.pages import figure, table
from transforms.views.report.plots import Bins, histogram
from transforms.views.report.sections import Section, Tables, figures, number, paragraph, said, share

MOST_CATEGORIES: Final = 12
"""Categories that are drawn; a data set from strangers may hold any number of them."""

_MOST_ROWS: Final = 60
_SCORE_BINS: Final = 20
_LUMA_BINS: Final = 16
_LENGTHS_S: Final = (1, 2, 5, 10, 20, 60, 120, 300, 600, 1800, 3600)
_LENGTH_BINS: Final = 20

# statistics of a file leave NaN out, and a comparison is answered by them: it does not keep NaN away
_SCORES: Final = """
    SELECT category, 'score' AS series, least(floor(score * 20), 19)::INT AS bin, count(*) AS n
    FROM detections WHERE isfinite(score) AND score BETWEEN 0 AND 1 GROUP BY ALL
    UNION ALL
    SELECT category, 'score_raw', least(floor(score_raw * 20), 19)::INT, count(*)
    FROM detections WHERE isfinite(score_raw) AND score_raw BETWEEN 0 AND 1 GROUP BY ALL
    ORDER BY 1, 2, 3"""
_TRACKS: Final = """
    SELECT count(*) AS tracks, (SELECT count(DISTINCT object_id) FROM objects) AS objects,
           median((last_ns - first_ns) / 1e9) AS median_s, max((last_ns - first_ns) / 1e9) AS longest_s,
           median(detected + added) AS median_rows, sum(detected)::BIGINT AS detected, sum(added)::BIGINT AS added
    FROM tracks"""
_LENGTHS: Final = """
    SELECT least(floor((last_ns - first_ns) / 1e9 / $1), 19)::INT AS bin, count(*) AS n
    FROM tracks WHERE last_ns >= first_ns GROUP BY ALL ORDER BY bin"""
_QUALITY: Final = """
    SELECT camera, count(*) AS frames, count(*) FILTER (is_damaged) AS damaged,
           count(*) FILTER (sample_index IS NULL) AS back_in_time, count(*) FILTER (network_ran) AS seen,
           count(*) FILTER (luma_mean < 60) AS dark, median(luma_mean) AS luma, median(sharpness) AS sharpness
    FROM frames GROUP BY camera ORDER BY frames DESC, camera LIMIT 40"""
_LUMA: Final = """
    SELECT least(floor(luma_mean / 16), 15)::INT AS bin, count(*) AS n
    FROM frames WHERE isfinite(luma_mean) AND luma_mean BETWEEN 0 AND 255 GROUP BY ALL ORDER BY bin"""
_SHARPNESS: Final = """
    SELECT least(floor(log2(sharpness + 1)), 15)::INT AS bin, count(*) AS n
    FROM frames WHERE isfinite(sharpness) AND sharpness >= 0 GROUP BY ALL ORDER BY bin"""


def categories(facts: Mapping[str, Any], tables: Tables) -> Section:
    """What was found, and how sure it is.

    Args:
        facts: what `transforms.views.overview.overview` tells.
        tables: the data set.
    """
    found: Sequence[Mapping[str, Any]] = facts["categories"]
    if not found:
        return Section("categories", "Categories and scores", paragraph("There are no labels."))
    total = sum(row["detections"] for row in found)
    listed = table(
        "Labels by category",
        ("category", "boxes", "share", "tracks", "objects", "median score"),
        (
            (
                said(row["category"]),
                count(row["detections"]),
                share(row["detections"], total),
                count(row["tracks"]),
                count(row["objects"]),
                number(row["median_score"]),
            )
            for row in found[:_MOST_ROWS]
        ),
    )
    counts: dict[tuple[str, str], list[int]] = {}
    for row in tables.ask(_SCORES):
        counts.setdefault((row["category"], row["series"]), [0] * _SCORE_BINS)[row["bin"]] = row["n"]
    edges = [at / _SCORE_BINS for at in range(_SCORE_BINS + 1)]
    none = [0] * _SCORE_BINS
    drawn = [
        figure(
            histogram(
                [
                    Bins("final", counts.get((row["category"], "score"), none)),
                    Bins("network alone", counts.get((row["category"], "score_raw"), none)),
                ],
                edges,
                title=f"scores of {said(row['category'])}",
                caption="score",
            ),
            said(row["category"]),
        )
        for row in found[:MOST_CATEGORIES]
    ]
    hint = "Boxes by score: bars after hindsight, outline as the network gave them."
    return Section("categories", "Categories and scores", listed + paragraph(hint, "hint") + figures(*drawn))


def tracks(tables: Tables) -> Section:
    """How long things are followed."""
    facts = tables.ask(_TRACKS)[0]
    if not facts["tracks"]:
        return Section("tracks", "Tracks", paragraph("There are no tracks."))
    rows = (
        ("tracks", count(facts["tracks"])),
        ("objects (tracks joined over the minutes of a drive)", count(facts["objects"])),
        ("median length", f"{number(facts['median_s'])} s"),
        ("longest", f"{number(facts['longest_s'])} s"),
        ("median rows of a track", number(facts["median_rows"])),
        ("rows that the network saw", count(facts["detected"])),
        ("rows that hindsight added", count(facts["added"])),
    )
    longest = facts["longest_s"] or 0.0
    top = next((size for size in _LENGTHS_S if longest <= size), _LENGTHS_S[-1])
    counts = [0] * _LENGTH_BINS
    for row in tables.ask(_LENGTHS, [top / _LENGTH_BINS]):
        counts[row["bin"]] = row["n"]
    edges = [top * at / _LENGTH_BINS for at in range(_LENGTH_BINS + 1)]
    plot = histogram([Bins("tracks", counts)], edges, title="tracks by length", caption="length in seconds")
    return Section(
        "tracks",
        "Tracks",
        table("Tracks", ("what", "value"), rows) + figures(figure(plot, "Tracks by length")),
    )


def quality(tables: Tables) -> Section:
    """How bright, sharp and whole the frames are."""
    cameras = tables.ask(_QUALITY)
    if not cameras:
        return Section("quality", "Quality of the frames", paragraph("There are no frames."))
    listed = table(
        "Frames by camera",
        (
            "camera",
            "frames",
            "seen by networks",
            "damaged",
            "time goes back",
            "dark (mean luma below 60)",
            "median luma",
            "median sharpness",
        ),
        (
            (
                said(row["camera"]),
                count(row["frames"]),
                count(row["seen"]),
                count(row["damaged"]),
                count(row["back_in_time"]),
                share(row["dark"], row["frames"]),
                number(row["luma"]),
                number(row["sharpness"]),
            )
            for row in cameras
        ),
    )
    luma, sharpness = ([0] * _LUMA_BINS for _ in range(2))
    for row in tables.ask(_LUMA):
        luma[row["bin"]] = row["n"]
    for row in tables.ask(_SHARPNESS):
        sharpness[row["bin"]] = row["n"]
    drawn = (
        figure(
            histogram(
                [Bins("frames", luma)],
                [16.0 * at for at in range(17)],
                title="frames by brightness",
                caption="mean luma",
            ),
            "Frames by brightness",
        ),
        figure(
            histogram(
                [Bins("frames", sharpness)],
                [float(at) for at in range(17)],
                title="frames by sharpness",
                caption="sharpness: log2 of the Laplacian's variance + 1",
            ),
            "Frames by sharpness",
        ),
    )
    return Section("quality", "Quality of the frames", listed + figures(*drawn))
