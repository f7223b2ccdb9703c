from pathlib import Path

import pytest
from viewed_sets import make_viewed_set

from transforms.tables.store import LocalStore
from transforms.viewing.viewed_set import ViewedSet


@pytest.fixture(scope="session")
def made(tmp_path_factory) -> Path:
    return make_viewed_set(tmp_path_factory.mktemp("viewed"), 12.0)


@pytest.fixture
def viewed(made) -> ViewedSet:
    return ViewedSet(LocalStore(made), made)
