"""FLOPs of a training, and the tokens of video; a multiply-add is two."""

from math import ceil

from transforms.budget.arrays import Number

FULL_ATTENTION = 12.0
"""Attention FLOPs per layer, width, sequence token and trained token, every token seeing all others."""

CAUSAL_ATTENTION = 6.0
"""The same where a token sees only those before it: half the pairs."""

SECONDS_PER_HOUR = 3600.0


def transformer_flops(
    parameters: Number, tokens: Number, layers: Number, width: Number, sequence: float, attention: float
) -> Number:
    """Training FLOPs of a transformer: 6·N·D + a·L·d·s·D.

    Six per parameter and token are two forward and four backward (Kaplan et al., 2001.08361); the
    attention term is that of Narayanan et al., 2104.04473 (full) and its half (causal). Embedding
    look-ups are not counted.

    Args:
        parameters: N, parameters that work on a token.
        tokens: D, trained tokens, repetitions counted.
        layers: L.
        width: d, width of the residual stream.
        sequence: s, tokens of a sequence.
        attention: a, `FULL_ATTENTION` or `CAUSAL_ATTENTION`.

    >>> f"{transformer_flops(6.7e9, 1e12, 32, 4096, 2048, 0):.3g}"
    '4.02e+22'
    """
    return 6 * parameters * tokens + attention * layers * width * sequence * tokens


def graph_flops(forward: Number, samples: Number, multiple: Number) -> Number:
    """Training FLOPs of a network given as a graph.

    Args:
        forward: FLOPs of one sample forward.
        samples: samples seen, repetitions counted.
        multiple: forward passes that one training step is worth: 3 with the backward pass (2.98 measured),
            4 with full recomputation, 1 for frozen parts.

    >>> graph_flops(4.5e9, 10.0, 3.0)
    135000000000.0
    """
    return multiple * forward * samples


def frame_tokens(width_px: int, height_px: int, long_side_px: float, patch_px: float) -> int:
    """Tokens of one frame: (H/p)(W/p), the frame scaled down to a long side, patches padded at the edge.

    Args:
        width_px: width of the frame.
        height_px: height of the frame.
        long_side_px: longer side after scaling; a smaller frame is not enlarged.
        patch_px: side of a square patch.

    >>> frame_tokens(1920, 1080, 512, 16)
    576
    """
    scale = min(1.0, long_side_px / max(width_px, height_px))
    # rounded: 383.99999999999994 / 16 must not become another patch
    return ceil(round(width_px * scale / patch_px, 9)) * ceil(round(height_px * scale / patch_px, 9))


def video_tokens(hours: float, hertz: float, tokens_per_frame: float, frames_per_token: float = 1.0) -> float:
    """Tokens of a camera's video.

    Args:
        hours: camera-hours.
        hertz: frames taken a second.
        tokens_per_frame: tokens of one frame.
        frames_per_token: frames that a patch spans in time (t_p).

    >>> video_tokens(1, 6.25, 576)
    12960000.0
    """
    return hours * SECONDS_PER_HOUR * hertz * tokens_per_frame / frames_per_token
