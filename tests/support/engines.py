"""The same job on different engines: the flags of each, and a job that is worth comparing."""

import json
import shlex
import shutil
import struct
import sys
from pathlib import Path

from flink_cluster import CACHE_MS
from running import ROOT, SAMPLE

THREADS = ("--workers", "2")
PROCESSES = (*THREADS, "--", "--direct_num_workers=2", "--direct_running_mode=multi_processing")


def boot_script(folder: Path) -> Path:
    """The program that runners start as a worker: this Python, this checkout; it leaves a file called after its process."""
    folder.mkdir()
    script = folder / "boot"
    lines = [
        "#!/bin/sh",
        f"touch {shlex.quote(str(folder))}/$$.pid",
        f"exec 2>> {shlex.quote(str(folder))}/$$.log",
        f'PYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} -P -m pipelines.worker "$@"',
    ]
    script.write_text("\n".join([*lines, ""]))
    script.chmod(0o755)
    return script


def workers(boot: Path) -> list[int]:
    """All processes that a boot script was, living or not."""
    return sorted(int(path.stem) for path in boot.parent.glob("*.pid"))


def flink_flags(address: str, launcher: Path, boot: Path) -> tuple[str, ...]:
    """Of a job on two TaskManagers."""
    return (
        *("--", "--runner=FlinkRunner", f"--flink_master={address}", f"--flink_job_server_jar={launcher}"),
        *("--parallelism=2", "--execution_mode_for_batch=BATCH_FORCED", *_process(boot)),
        f"--environment_cache_millis={CACHE_MS}",
    )


def prism_flags(binary: Path, boot: Path | None = None) -> tuple[str, ...]:
    """Of a job on Prism, whose workers are threads of the command, or processes."""
    return ("--", "--runner=PrismRunner", f"--prism_location={binary}", *(_process(boot) if boot else ()))


def _process(boot: Path) -> tuple[str, str]:
    return "--environment_type=PROCESS", f"--environment_config={json.dumps({'command': str(boot)})}"


def sample_and_copies(folder: Path, copies: int) -> Path:
    """The sample with its drives, duplicates and damaged clips, and short clips of different content beside it."""
    shutil.copytree(SAMPLE / "TeslaCam", folder / "TeslaCam")
    shutil.copytree(SAMPLE / "generic", folder / "generic")
    return copied_clips(folder, copies).parent


def copied_clips(folder: Path, count: int) -> Path:
    """Clips of a `copies` folder: those of the sample, each with a `free` box of its number behind."""
    sources = sorted((SAMPLE / "TeslaCam" / "RecentClips").glob("*.mp4"))
    clips = folder / "copies"
    clips.mkdir(parents=True)
    for number in range(count):
        content = sources[number % len(sources)].read_bytes() + struct.pack(">I4sQ", 16, b"free", number)
        (clips / f"{number:03d}.mp4").write_bytes(content)
    return clips
