import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.budget.demand.flops import (
    CAUSAL_ATTENTION,
    FULL_ATTENTION,
    frame_tokens,
    graph_flops,
    transformer_flops,
    video_tokens,
)

sizes = st.integers(1, 4000)


def test_llama_7b_without_attention_is_six_n_d():
    assert transformer_flops(6.7e9, 1e12, 32, 4096, 2048, 0) == pytest.approx(4.02e22)


def test_llama_7b_with_causal_attention():
    # 6 · 32 · 4096 · 2048 · 1e12 = 1.61e21 on top
    assert transformer_flops(6.7e9, 1e12, 32, 4096, 2048, CAUSAL_ATTENTION) == pytest.approx(
        4.1811e22, rel=1e-4
    )


def test_palm_matches_its_published_flops():
    flops = transformer_flops(540.35e9, 780e9, 118, 18432, 2048, FULL_ATTENTION)
    assert flops == pytest.approx(2.5272e24, rel=0.03)


def test_attention_doubles_the_flops_of_long_video():
    short = transformer_flops(1e9, 1e12, 24, 1856, 0, FULL_ATTENTION)
    long = transformer_flops(1e9, 1e12, 24, 1856, 16_384, FULL_ATTENTION)
    assert 2.0 < long / short < 2.6


def test_yolov5n_on_coco():
    assert graph_flops(4.5e9, 35_486_100, 3) == pytest.approx(4.79e17, rel=1e-3)


def test_a_frame_of_576_tokens_at_6_25_hertz_is_12_96_million_tokens_an_hour():
    assert frame_tokens(512, 288, 512, 16) == 576
    assert video_tokens(1, 6.25, 576) == pytest.approx(12.96e6)


@pytest.mark.parametrize(
    ("width", "height", "tokens"),
    [(1280, 960, 768), (960, 1280, 768), (1920, 1080, 576), (320, 240, 300), (1, 1, 1)],
)
def test_tokens_of_a_frame_follow_its_own_shape(width, height, tokens):
    assert frame_tokens(width, height, 512, 16) == tokens


@given(sizes, sizes)
def test_a_frame_has_tokens_for_every_pixel_and_no_more_than_the_long_side_allows(width, height):
    assert 1 <= frame_tokens(width, height, 512, 16) <= 32 * 32
    assert frame_tokens(width, height, 512, 16) == frame_tokens(height, width, 512, 16)


@given(st.floats(0, 1e9), st.floats(1, 10))
def test_video_tokens_are_linear_in_hours(hours, factor):
    assert video_tokens(hours * factor, 5, 576, 2) == pytest.approx(factor * video_tokens(hours, 5, 576, 2))
