"""What other engines consist of, fetched once into a cache folder by the ordinary clients of Maven and Go."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

from apache_beam.version import __version__ as beam_version

POM = Path(__file__).with_name("flink_pom.xml")
PRISM = f"github.com/apache/beam/sdks/v2/go/cmd/prism@v{beam_version}"
DOWNLOAD_S = 900
OPENED = (
    *("java.base/java.lang", "java.base/java.net", "java.base/java.io", "java.base/java.nio"),
    *("java.base/sun.nio.ch", "java.base/java.util", "java.base/java.util.concurrent"),
    *("java.base/java.time", "java.base/java.text"),
)
"""Packages that Flink and Beam look into; Java 17 keeps them closed."""


class MissingEngineError(Exception):
    """An engine cannot be had here; the message says why."""


def cache_folder() -> Path:
    """`CLIPMILL_ENGINES`, or a folder of the user's cache."""
    return Path(os.environ.get("CLIPMILL_ENGINES", Path.home() / ".cache" / "clipmill-engines"))


def flink_launcher() -> Path:
    """A jar that starts Beam's job server for Flink, among all the jars it and a cluster need.

    Raises:
        MissingEngineError: there is no Java or no Maven, or the jars cannot be downloaded.
    """
    _require("java")
    folder = cache_folder() / f"flink-{hashlib.sha256(POM.read_bytes()).hexdigest()[:12]}"
    # jars in a folder of this name are not sent along with every job: Beam takes them for the build tool's
    launcher = folder / "gradle" / "wrapper" / "launcher.jar"
    if not launcher.exists():
        _require("mvn")
        with _unfinished(folder) as name:
            jars = Path(name) / "gradle" / "wrapper"
            copy = ("dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={jars}")
            _download("Flink's jars", ["mvn", "-B", "-q", "-f", str(POM), *copy])
            _write_launcher(jars)
            Path(name).rename(folder)
    return launcher


def prism_binary() -> Path:
    """Beam's Prism runner, of the version of the Beam that is installed.

    Raises:
        MissingEngineError: there is no Go, or the sources cannot be downloaded.
    """
    folder = cache_folder() / f"prism-{beam_version}"
    if not (folder / "prism").exists():
        _require("go")
        with _unfinished(folder) as name:
            _download("Prism", ["go", "install", PRISM], GOBIN=name)
            Path(name).rename(folder)
    return folder / "prism"


def _require(*programs: str) -> None:
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise MissingEngineError(f"{', '.join(missing)}: not installed here")


def _unfinished(folder: Path) -> "tempfile.TemporaryDirectory[str]":
    """A neighbour that gets the folder's name when it is whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(
        prefix=f"{folder.name}.", dir=folder.parent, ignore_cleanup_errors=True
    )


def _download(what: str, command: list[str], **environment: str) -> None:
    try:
        subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_S,
            env={**os.environ, **environment},
        )
    except subprocess.TimeoutExpired as error:
        raise MissingEngineError(f"{what}: not downloaded within {DOWNLOAD_S} s") from error
    except subprocess.CalledProcessError as error:
        last = (error.stdout + error.stderr).strip().splitlines()[-3:]
        raise MissingEngineError(f"{what}: cannot be downloaded: {' '.join(last)}") from error


def _write_launcher(jars: Path) -> None:
    """`FlinkRunner` starts its job server by `java -jar`, which takes the class path from the jar's manifest."""
    entries = {
        "Manifest-Version": "1.0",
        "Main-Class": "org.apache.beam.runners.flink.FlinkJobServerDriver",
        "Class-Path": " ".join(sorted(path.name for path in jars.glob("*.jar"))),
        "Add-Opens": " ".join(OPENED),
    }
    # the form of manifests: lines of 72 bytes at most, those that go on begin with a space
    lines = ["\r\n ".join(re.findall(".{1,70}", f"{key}: {value}")) for key, value in entries.items()]
    with zipfile.ZipFile(jars / "launcher.jar", "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "\r\n".join([*lines, ""]))
