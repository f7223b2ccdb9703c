"""Ids."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from transforms.tables.ids import _NAMESPACE, stable_id


@given(st.text(), st.lists(st.one_of(st.text(), st.integers(), st.floats())))
def test_an_id_is_the_uuid5_of_its_parts(kind, parts):
    text = "\x1f".join((kind, *map(str, parts)))
    assert stable_id(kind, *parts) == str(uuid.uuid5(_NAMESPACE, text))
