"""Clips that decoders die of: a `sitecustomize` for the children, which knows them by their names."""

from pathlib import Path

_SITE = """
import os
import time

from transforms.clips import decoding, probing

_frames, _probe = decoding.ClipDecoder.frames, probing._probe


def _suffer(uri, stage):
    name = uri.rsplit("/", 1)[-1]
    if f"crash-{stage}" in name:
        os.abort()
    if f"hang-{stage}" in name:
        time.sleep(600)
    if f"greedy-{stage}" in name:
        bytearray(1 << 40)
    if f"once-{stage}" in name:
        try:
            os.unlink(uri + ".once")
        except FileNotFoundError:
            return
        os.abort()


def frames(self, *arguments, **options):
    _suffer(self._clip.uri, "decode")
    return _frames(self, *arguments, **options)


def probe(stream, file, *arguments):
    _suffer(file.uri, "probe")
    found = _probe(stream, file, *arguments)
    if "vanish" in file.uri.rsplit("/", 1)[-1]:
        os.unlink(file.uri)
    return found


decoding.ClipDecoder.frames = frames
probing._probe = probe
"""


def write_site(folder: Path) -> dict[str, str]:
    """Writes the module.

    Returns:
        What must be in the environment of whoever starts children. A clip whose name holds `crash-decode`,
        `hang-probe`, `greedy-decode` and so on does that to its process at that stage; `once-` needs a file with
        `.once` at its end beside it, and does it once. One with `vanish` is gone once it has been probed.
    """
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(_SITE)
    return {"PYTHONPATH": str(folder)}
