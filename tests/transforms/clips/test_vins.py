import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from transforms.clips.refs import Failure, InputFile
from transforms.clips.vins import holds_vin, mask_vins, without_vins

VIN = "1M8GDM9AXKP042788"
LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"


@pytest.mark.parametrize(
    "text",
    [VIN, VIN.lower(), f"/fleet/{VIN}/TeslaCam", f"car_{VIN}_old", f"({VIN})", f"5YJ3E1EA7KF317000 {VIN}"],
)
def test_numbers_are_found_wherever_they_stand(text):
    assert holds_vin(text)
    assert VIN.lower() not in mask_vins(text).lower()
    assert mask_vins(text).count("*************2788") == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1M8GDM9A0KP042788",  # wrong check digit
        f"A{VIN}",
        f"{VIN}0",
        "20240501102030121",  # a time with milliseconds
        "11111111111111111",
        "1M8GDM9AXKPO42788",  # with the letter O
        "3b687249-9ee8-509d-8f10-9a3d33aa00bb",
    ],
)
def test_what_is_none_stays(text):
    assert not holds_vin(text)
    assert mask_vins(text) == text


@given(st.text(LETTERS, min_size=17, max_size=17))
def test_one_of_eleven_check_digits_is_right(text):
    assume(not text.isalpha())
    numbers = [text[:8] + check + text[9:] for check in "0123456789X"]
    assume(not any(number.isdigit() or number.isalpha() for number in numbers))
    assert sum(map(holds_vin, numbers)) == 1
    assert mask_vins(mask_vins(text)) == mask_vins(text)


@given(st.text(string.printable, max_size=60))
def test_masking_keeps_length_and_all_other_text(text):
    masked = mask_vins(f"{text} {VIN}")
    assert len(masked) == len(text) + 18
    assert masked.endswith(" *************2788")


def test_a_folder_is_told_once_and_the_rest_is_found():
    def file(uri: str) -> InputFile:
        return InputFile(uri=uri, root="/fleet", bytes=1)

    good = file("/fleet/car7/a.mp4")
    found = list(
        without_vins(
            [file(f"/fleet/{VIN}/a.mp4"), good, file(f"/fleet/{VIN}/b.mp4"), file(f"/fleet/{VIN}.mp4")]
        )
    )
    assert found[1] == good
    failures = [item for item in found if isinstance(item, Failure)]
    assert [item.uri for item in failures] == ["/fleet/*************2788", "/fleet/*************2788.mp4"]
    assert all(VIN not in item.message for item in failures)
