"""Any folder of video files: names say nothing that could be relied on."""

from transforms.clips.refs import ClipName


def name_clip(uri: str, root: str) -> ClipName:  # noqa: ARG001 - every source has this signature
    """Names a clip of unknown origin."""
    return ClipName(source="generic", vehicle="", camera="unknown")
