"""What is told of blurred pictures."""

from collections.abc import Iterable

from transforms.labels.privacy.regions import Region


def audit_rows(
    picture: str, clip_id: str, time_ns: int, regions: Iterable[Region]
) -> list[dict[str, object]]:
    """Rows of `transforms.tables.blurred.BLURRED` for one picture.

    Args:
        picture: its path beside the audit.
        clip_id: its clip.
        time_ns: its frame's time since the clip's first.
        regions: what was blurred in it.
    """
    return [
        {
            "picture": picture,
            "clip_id": clip_id,
            "timestamp_ns": time_ns,
            "kind": region.kind,
            **dict(zip(("x_min_px", "y_min_px", "x_max_px", "y_max_px"), region.edges, strict=True)),
            "model": region.model,
            "model_digest": region.model_digest or None,
            "carried": region.carried,
        }
        for region in regions
    ]
