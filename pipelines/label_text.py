"""What `label`, `run` and `retry` say to people: of a run, and of what a run would do."""

import shlex
from typing import Any, Final

_REASONS: Final = {
    "new": "not labelled yet",
    "damaged": "files are missing or damaged",
    "failed": "clips failed and may not fail again",
    "clips": "clips, or what leads to them, changed",
    "options": "options changed",
    "models": "networks changed",
    "code": "this version labels differently",
    "corrections": "what people corrected changed",
}


def run_text(data: dict[str, Any]) -> str:
    """What a run came to.

    Args:
        data: what it gives scripts.
    """
    place = shlex.quote(data["output"])
    clips, shards = data["clips"], data["shards"]
    taken = f", {data['taken_over']} taken over" if data.get("taken_over") else ""
    lines = [
        f"{clips['found']} clips: {clips['labelled']} labelled, {clips['failed']} failed, {clips['duplicate']} duplicate",
        f"{data['frames']} frames, {data['detections']} detections, {data['tracks']} tracks, {data['objects']} objects",
        f"{shards['written']} shards written, {shards['skipped']} already there{taken}"
        + (
            f"; {data['seconds']:.1f} s, {data['frames_per_second']:.1f} frames/s"
            if shards["written"]
            else ""
        ),
    ]
    if data["corrections"]["said"]:
        lines.append(_corrections(data["corrections"]))
    lines += [f"note: {note}" for note in data["notes"]]
    lines += [f"failed: {failure['error']}: {failure['message']}" for failure in data["failures"]]
    if data["left_over_shards"]:
        lines.append(f"{data['left_over_shards']} shards of clips that are not among the inputs were kept")
    lines += [
        f"data set: {data['output']}",
        f"look at it: clipmill inspect {place}",
        f"what training on it takes: clipmill budget {place}",
    ]
    return "\n".join(lines)


def too_many_failed_text(data: dict[str, Any], allowed: float) -> str:
    """Why a run ends with exit code 3.

    Args:
        data: what the run gives scripts.
        allowed: the largest share of clips that may fail.
    """
    clips = data["clips"]
    return f"exit code 3: {clips['failed']} of {clips['found']} clips failed, more than max_failed_share {allowed:g} allows"


def forecast_text(data: dict[str, Any]) -> str:
    """What a run would do, and why.

    Args:
        data: what the forecast gives scripts.
    """
    clips, shards, seconds = data["clips"], data["shards"], data["estimated_seconds"]
    lines = [
        f"{clips['found']} clips: {clips['failed']} cannot be read, {clips['duplicate']} duplicate",
        (
            f"{shards['label']} shards to label ({clips['to_label']} clips, {data['camera_hours']:.2f} camera-hours), "
            f"{shards['take_over']} to take over, {shards['keep']} stay as they are"
        ),
    ]
    lines += [f"why: {_REASONS[reason]}: {count} shards" for reason, count in data["reasons"].items()]
    lines += [f"failed: {failure['error']}: {failure['message']}" for failure in data["failures"]]
    if data["left_over_shards"]:
        lines.append(_left_over(data))
    about = (
        f"about {seconds:.0f} s" if seconds is not None else "unknown: no run has measured this machine yet"
    )
    return "\n".join([*lines, f"time: {about}"])


def _left_over(data: dict[str, Any]) -> str:
    return (
        f"{data['left_over_shards']} shards of clips that are no longer among the inputs stay; clipmill prune"
    )


def _corrections(told: dict[str, Any]) -> str:
    text = f"{told['said']} corrections: {told['applied']} stand as they were said"
    reasons = ", ".join(f"{count} {name}" for name, count in told["conflicts"].items())
    return f"{text}; not so: {reasons} (the table corrections tells which)" if reasons else text
