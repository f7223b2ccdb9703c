"""A small fully convolutional detector that speaks YOLOX's output form.

Three strides (8, 16, 32), no anchors, objectness apart from class. Every convolution but the last of a branch is
followed by a batch normalization (folded into it at export) and a ReLU, which onnxruntime fuses: on one CPU thread
plain ops beat clever ones.
"""

from typing import Final

import torch
from torch import Tensor, nn

STRIDES: Final = (8, 16, 32)

INPUT_SCALE: Final = 1.0 / 64.0
"""Pixels 0..255 reach the first convolution as 0..4; folded into its weights at export."""

PRIOR: Final = 0.01
"""Objectness that an untrained network gives everywhere, so that the many empty cells do not swamp the first steps."""


def convolution(
    channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1
) -> nn.Sequential:
    """Convolution that keeps the size (at stride 1), batch normalization, ReLU."""
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    )


def separable(channels_in: int, channels_out: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Depthwise convolution of the given kernel, then a 1x1 one."""
    return nn.Sequential(
        *convolution(channels_in, channels_in, kernel, stride, groups=channels_in),
        *convolution(channels_in, channels_out, 1),
    )


class Residual(nn.Module):
    """A separable convolution added to its own input."""

    def __init__(self, channels: int, kernel: int = 3) -> None:
        super().__init__()
        self.body = separable(channels, channels, kernel)

    def forward(self, features: Tensor) -> Tensor:
        """Float32[B, C, h, w] to the same shape."""
        return features + self.body(features)


class Head(nn.Module):
    """Box, objectness and classes of one stride from its features."""

    def __init__(self, channels: int, class_count: int) -> None:
        super().__init__()
        self.where_body = separable(channels, channels)
        self.what_body = separable(channels, channels)
        self.where = nn.Conv2d(channels, 5, 1)
        self.what = nn.Conv2d(channels, class_count, 1)
        prior_logit = torch.log(torch.tensor(PRIOR / (1 - PRIOR)))
        nn.init.zeros_(self.where.bias)
        with torch.no_grad():
            self.where.bias[4] = prior_logit
        nn.init.constant_(self.what.bias, float(prior_logit))

    def forward(self, features: Tensor) -> Tensor:
        """Float32[B, C, h, w] to raw x, y, log w, log h, objectness logit, class logits: float32[B, 5 + K, h, w]."""
        return torch.cat((self.where(self.where_body(features)), self.what(self.what_body(features))), dim=1)


class DemoDetector(nn.Module):
    """Detector of rendered scenes.

    Args:
        class_count: how many classes it tells apart.
    """

    def __init__(self, class_count: int) -> None:
        super().__init__()
        self.class_count = class_count
        self.to_8 = nn.Sequential(
            # one wide step to a quarter of the size: two of stride 2 cost three times as much, most of it in memory traffic
            convolution(3, 32, 7, stride=4),
            convolution(32, 48, 3, stride=2),
            Residual(48),
            Residual(48),
        )
        self.to_16 = nn.Sequential(convolution(48, 96, 3, stride=2), Residual(96), Residual(96), Residual(96))
        self.to_32 = nn.Sequential(separable(96, 160, 5, stride=2), Residual(160, 5), Residual(160, 5))
        width = 64
        self.side_8 = convolution(48, width, 1)
        self.side_16 = convolution(96, width, 1)
        self.side_32 = convolution(160, width, 1)
        self.up = nn.Upsample(scale_factor=2.0, mode="nearest")
        self.mix_16 = separable(width, width, 5)
        self.mix_8 = separable(width, width, 5)
        self.heads = nn.ModuleList(Head(width, class_count) for _ in STRIDES)

    def forward(self, images: Tensor) -> Tensor:
        """Raw predictions of every cell.

        Args:
            images: BGR 0..255, float32[B, 3, H, W], H and W multiples of 32.

        Returns:
            Float32[B, N, 5 + K], strides 8, 16, 32 in that order, each row by row: x and y offset and log width and
            height in units of the stride, then objectness and class logits.
        """
        at_8 = self.to_8(images * INPUT_SCALE)
        at_16 = self.to_16(at_8)
        deep_32 = self.side_32(self.to_32(at_16))
        deep_16 = self.mix_16(self.side_16(at_16) + self.up(deep_32))
        deep_8 = self.mix_8(self.side_8(at_8) + self.up(deep_16))
        maps = [head(features) for head, features in zip(self.heads, (deep_8, deep_16, deep_32), strict=True)]
        return torch.cat([one.flatten(2) for one in maps], dim=2).transpose(1, 2)


class ScoringDetector(nn.Module):
    """The same with objectness and classes as probabilities: YOLOX's published output form, what is exported."""

    def __init__(self, detector: DemoDetector) -> None:
        super().__init__()
        self.detector = detector

    def forward(self, images: Tensor) -> Tensor:
        """BGR 0..255, float32[B, 3, H, W], to float32[B, N, 5 + K]."""
        raw = self.detector(images)
        return torch.cat((raw[..., :4], raw[..., 4:].sigmoid()), dim=-1)


def cells(height: int, width: int) -> tuple[Tensor, Tensor]:
    """Corner and stride of every cell, in the order of the network's output.

    Args:
        height: of the input, pixels, a multiple of 32.
        width: of the input, pixels, a multiple of 32.

    Returns:
        Top left corners x, y in units of the stride, float32[N, 2], and strides in pixels, float32[N].
    """
    corners, strides = [], []
    for stride in STRIDES:
        rows, columns = torch.meshgrid(
            torch.arange(height // stride), torch.arange(width // stride), indexing="ij"
        )
        corners.append(torch.stack((columns, rows), dim=-1).reshape(-1, 2))
        strides.append(torch.full((corners[-1].shape[0],), float(stride)))
    return torch.cat(corners).float(), torch.cat(strides)


def decode(raw: Tensor, corners: Tensor, strides: Tensor) -> Tensor:
    """Boxes of every cell.

    Args:
        raw: output of the network, float32[B, N, 5 + K].
        corners: as `cells` gives them, float32[N, 2].
        strides: pixels, float32[N].

    Returns:
        xyxy in pixels of the input, float32[B, N, 4].
    """
    centres = (raw[..., 0:2] + corners) * strides[:, None]
    # e^6 strides is far above any box; without a bound the exponential of a wild first step is infinite
    halves = raw[..., 2:4].clamp(max=6.0).exp() * strides[:, None] / 2
    return torch.cat((centres - halves, centres + halves), dim=-1)
