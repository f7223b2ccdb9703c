"""References to clips that nobody filmed, for what looks at references only."""

from transforms.clips.refs import ClipName, ClipRef
from transforms.tables.ids import clip_id


def clip(
    uri: str,
    *,
    minute: str | None = None,
    camera: str = "front",
    seconds: float = 60.0,
    kind: str = "",
    digest="",
) -> ClipRef:
    digest = digest or f"{uri:x<64}"
    name = ClipName(
        source="teslacam" if minute else "generic",
        vehicle="car" if minute else "",
        camera=camera,
        folder_kind=kind,
        event_folder=f"/car/TeslaCam/{kind}/event" if kind == "SavedClips" else None,
        minute=minute,
    )
    return ClipRef(
        clip_id=clip_id(digest),
        uri=uri,
        name=name,
        content_sha256=digest,
        bytes=1,
        codec="h264",
        width=1280,
        height=960,
        rotation_deg=0,
        time_base=(1, 90000),
        first_pts=0,
        frame_count=round(seconds * 36),
        duration_ns=round(seconds * 1e9),
        fps_mean=36.0,
        frame_jitter_ns=0,
        start_utc_ns=None,
        clock_source="none",
        clock_uncertainty_ns=None,
        clock_offset_ns=None,
        telemetry_rows=0,
    )
