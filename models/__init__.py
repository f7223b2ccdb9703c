"""Neural networks: model cards, files, sessions, pre- and post-processing.

onnxruntime tells its maker of the sessions that it opens, from version 1.29 on on Linux too, and keeps an identifier of the
machine. It asks this variable once, when it is loaded; who wants to tell sets it to 0.
"""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
