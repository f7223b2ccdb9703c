"""Labelling tells nobody of itself."""

import os
import subprocess
import sys

from running import ROOT


def test_onnxruntime_neither_reports_nor_keeps_an_identifier(tmp_path):
    # it is silent by itself where it takes a process for a test's or for CI
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    subprocess.run(
        [sys.executable, "-c", "import models.networks, time; time.sleep(1)"],
        check=True,
        cwd=ROOT,
        timeout=60,
        env={**kept, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")},
    )
    assert list(tmp_path.rglob("*")) == []
