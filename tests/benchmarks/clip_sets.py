"""Clips for benchmarks: real ones, as many different files as wanted."""

import os
import struct
from pathlib import Path

SHARED = Path(os.environ.get("CLIPMILL_SHARED", Path(__file__).resolve().parents[3] / "shared"))
NETWORK = SHARED / "models" / "yolox_nano_416.onnx"


def real_clips(*, landscape: bool = False) -> list[Path]:
    """The mp4 files of the shared clips; the portrait one only where any shape will do."""
    clips = sorted((SHARED / "clips").glob("*.mp4"))
    return [clip for clip in clips if not (landscape and "1376x1840" in clip.name)]


def many_clips(folder: Path, count: int, *, landscape: bool = False) -> list[Path]:
    """Writes `count` files of different content: the real clips, each with a `free` box of its number behind."""
    sources = real_clips(landscape=landscape)
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for number in range(count):
        source = sources[number % len(sources)]
        path = folder / f"{number:03d}_{source.name}"
        if not path.exists():
            path.write_bytes(source.read_bytes() + struct.pack(">I4sQ", 16, b"free", number))
        paths.append(path)
    return paths
