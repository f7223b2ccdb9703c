"""The Python of the page on training, in the order in which it stands there."""

import re
import runpy

from running import ROOT

_PAGE = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
_ALL = re.findall(r"^```python\n(.*?)^```$", _PAGE, flags=re.DOTALL | re.MULTILINE)
SNIPPETS = [code for code in _ALL if "torch" not in code]
TORCH_SNIPPETS = [code for code in _ALL if "torch" in code]


def run_snippet(code, dataset, folder, monkeypatch, capsys) -> str:
    """What a snippet prints about a data set that it calls `demo`."""
    (folder / "demo").symlink_to(dataset)
    (folder / "snippet.py").write_text(code)
    monkeypatch.chdir(folder)
    runpy.run_path("snippet.py")
    return str(capsys.readouterr().out)
