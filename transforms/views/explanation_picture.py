"""The frame of an explained row, with the box that the network gave and the one that came of it."""

from pathlib import Path

from transforms.explaining.explanation import Explanation
from transforms.explaining.parts import OpenStream
from transforms.labels.privacy.covering import blurred
from transforms.labels.privacy.regions import Region
from transforms.labels.privacy.settings import Blur
from transforms.tables.queries import connect
from transforms.views.blurring import clip_regions
from transforms.views.drawing import DrawnBox, draw, frames_at, write_png


def draw_explanation(
    root: Path, found: Explanation, path: Path, open_stream: OpenStream, blur: Blur
) -> list[Region] | None:
    """Draws an explanation.

    Args:
        root: the data set.
        found: the explanation.
        path: the picture, a PNG file; its folder is made.
        open_stream: opens the clip's URI.
        blur: what is blurred in the frame before anything is drawn.

    Returns:
        What was blurred; None where there was nothing to draw on: the frame did not come out.

    Raises:
        ModelError: a network that looks for faces or plates cannot be had.
        OSError: the picture cannot be written.
    """
    if found.where.pts is None:
        return None
    boxes, said = [], []
    if found.output is not None:
        raw = found.output
        # the two boxes mostly lie on each other: one caption tells of both
        boxes.append(DrawnBox(raw.box, "", "network"))
        said.append(f"network: {raw.category} {raw.score:.2f}")
    if found.corrections:
        row = found.stored
        said.append(f"{row['label_source']}: {row['category']} {row['score']:.2f}")
        edges = (row["x_min_px"], row["y_min_px"], row["x_max_px"], row["y_max_px"])
        boxes.append(DrawnBox(edges, ", ".join(said), row["label_source"]))
    elif found.steps:
        last = found.steps[-1]
        said.append(f"{last.label_source}: {last.category} {last.score:.2f}")
        boxes.append(DrawnBox(last.box, ", ".join(said), last.label_source))
    time_ns = found.where.timestamp_ns
    shown = [(time_ns, image) for _, image in frames_at(found.clip, {found.where.pts}, open_stream)]
    if not shown:
        return None
    with connect(root) as data:
        regions = clip_regions(data, found.where.clip_id, blur, lambda: shown).at(time_ns)
    write_png(path, draw(blurred(shown[0][1], regions), boxes))
    return regions
