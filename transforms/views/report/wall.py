"""The wall of labelled frames: telling examples, which can be filtered by category, kind and camera."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass

from transforms.budget.amounts import count
from transforms.views.pages import part
from transforms.views.report.choosing import KINDS, Example
from transforms.views.report.pictures import Picture
from transforms.views.report.sections import Section, paragraph, place, said


@dataclass(frozen=True, slots=True)
class _Card:
    """What the template shows of an example."""

    category: str
    kind: str
    camera: str
    clip: str
    when: str
    score: str
    told: str
    source: str
    width: int
    height: int
    alternative: str
    problem: str
    detection_id: str


def wall(examples: Sequence[Example], pictures: Sequence[Picture], blurred: Sequence[str]) -> Section:
    """The wall.

    Args:
        examples: what is shown.
        pictures: one of each.
        blurred: kinds of what is blurred in them.
    """
    if not examples:
        return Section("wall", "Labelled frames", paragraph("There is no label to look at."))
    cards = [_card(*pair) for pair in zip(examples, pictures, strict=True)]
    missing = sum(item.jpeg is None for item in pictures)
    body = part(
        "wall",
        cards,
        [(name, told) for name, told in KINDS.items() if any(card.kind == name for card in cards)],
        sorted({card.category for card in cards}),
        sorted({card.camera for card in cards}),
    )
    if blurred:
        kinds = " and ".join(f"{kind}s" for kind in blurred)
        body += paragraph(
            f"Where {kinds} may be, these pictures are blurred; the clips are as they were.", "hint"
        )
    if missing:
        body += paragraph(
            f"{count(missing)} of {count(len(cards))} frames could not be shown; each says why.", "hint"
        )
    return Section("wall", "Labelled frames", body)


def _card(example: Example, shown: Picture) -> _Card:
    clip, when = place(example.uri), f"{example.timestamp_ns / 1e9:.1f} s"
    category, camera = said(example.box.category), said(example.camera)
    source = "" if shown.jpeg is None else f"data:image/jpeg;base64,{b64encode(shown.jpeg).decode()}"
    score = f"{example.score:.2f}"
    return _Card(
        category=category,
        kind=example.kind,
        camera=camera,
        clip=clip,
        when=when,
        score=score,
        told=_told(example),
        source=source,
        width=shown.width,
        height=shown.height,
        alternative=f"{camera} camera at {when}: {category} with score {score}, outlined",
        problem=shown.problem,
        detection_id=said(example.detection_id),
    )


def _told(example: Example) -> str:
    """Where the label comes from and what hindsight did to it."""
    if example.network is None or example.score_raw is None:
        return f"{said(example.label_source)}: hindsight added it"
    network = f"network: {said(example.network.category)} {example.score_raw:.2f}"
    if example.score == 0:
        return f"{network}; set aside as no object"
    overlap = _overlap(example)
    return f"{network}; box overlaps the network's by {overlap:.0%}" if example.kind == "changed" else network


def _overlap(example: Example) -> float:
    """Intersection over union of the final box and the network's."""
    assert example.network is not None
    a, b = example.box.edges, example.network.edges
    common = max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    both = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)) - common
    return common / both if both > 0 else 0.0
