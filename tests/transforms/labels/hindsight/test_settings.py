"""The switches of hindsight."""

import pytest
from pydantic import ValidationError

from transforms.labels.hindsight.settings import ONLINE, HindsightSettings


def test_all_steps_are_taken_unless_left_out_and_online_takes_none():
    assert set(HindsightSettings().model_dump().values()) == {True}
    assert set(ONLINE.model_dump().values()) == {False}


def test_a_step_that_does_not_exist_is_refused():
    with pytest.raises(ValidationError, match="smothing"):
        HindsightSettings.model_validate({"smothing": False})
