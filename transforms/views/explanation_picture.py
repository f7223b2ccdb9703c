"""The frame of an explained row, with the box that the network gave and the one that came of it."""

from pathlib import Path

from transforms.explaining.explanation import Explanation
from transforms.explaining.parts import OpenStream
from transforms.views.drawing import DrawnBox, draw, frames_at, write_png


def draw_explanation(found: Explanation, path: Path, open_stream: OpenStream) -> bool:
    """Draws an explanation.

    Args:
        found: the explanation.
        path: the picture, a PNG file; its folder is made.
        open_stream: opens the clip's URI.

    Returns:
        Whether there was anything to draw on: the frame came out.

    Raises:
        OSError: the picture cannot be written.
    """
    if found.where.pts is None:
        return False
    boxes, said = [], []
    if found.output is not None:
        raw = found.output
        # the two boxes mostly lie on each other: one caption tells of both
        boxes.append(DrawnBox(raw.box, "", "network"))
        said.append(f"network: {raw.category} {raw.score:.2f}")
    if found.steps:
        last = found.steps[-1]
        said.append(f"{last.label_source}: {last.category} {last.score:.2f}")
        boxes.append(DrawnBox(last.box, ", ".join(said), last.label_source))
    for _, image in frames_at(found.clip, {found.where.pts}, open_stream):
        write_png(path, draw(image, boxes))
        return True
    return False
