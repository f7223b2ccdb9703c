import pytest

from transforms.budget.demand.figures import CameraFigures, DatasetFigures
from transforms.budget.facts.library import load_facts


@pytest.fixture
def facts():
    return load_facts()


@pytest.fixture
def figures():
    cameras = (
        CameraFigures("back", 1280, 960, 36.0, 100.0),
        CameraFigures("front", 1920, 1080, 30.0, 300.0),
    )
    return DatasetFigures(
        400.0, 24_000, 1_000_000, cameras, detections=5_000_000, tracks=40_000, bytes=10**12
    )
