"""Writes the made parts of the pages anew: `python -m pipelines.reference docs`."""

import sys
from pathlib import Path

from pipelines.reference.pages import pages

for path, text in pages(Path(sys.argv[1])).items():
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
