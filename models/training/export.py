"""From a trained detector to an ONNX file with dynamic height and width."""

import io
from itertools import pairwise
from pathlib import Path

import onnx
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.training.network import DemoDetector, ScoringDetector


def fold(module: nn.Module) -> None:
    """Fold every batch normalization into the convolution before it, in place."""
    for child in module.children():
        fold(child)
    if isinstance(module, nn.Sequential):
        layers = list(module)
        for index, (first, second) in enumerate(pairwise(layers)):
            if isinstance(first, nn.Conv2d) and isinstance(second, nn.BatchNorm2d):
                module[index] = fuse_conv_bn_eval(first, second)
                module[index + 1] = nn.Identity()


def to_onnx(
    weights: dict[str, torch.Tensor], class_count: int, *, height: int, width: int
) -> onnx.ModelProto:
    """The network as one would publish it.

    Args:
        weights: state of a `DemoDetector`.
        class_count: its number of classes.
        height: pixels of the size the graph is traced at, a multiple of 32.
        width: the same.

    Returns:
        Input `images` float32[batch, 3, height, width] and output `output` float32[batch, cells, 5 + K], all but the
        channels dynamic.
    """
    detector = DemoDetector(class_count)
    detector.load_state_dict(weights)
    detector.eval()
    fold(detector)
    buffer = io.BytesIO()
    torch.onnx.export(
        ScoringDetector(detector),
        (torch.zeros(1, 3, height, width),),
        buffer,
        input_names=["images"],
        output_names=["output"],
        dynamic_axes={"images": {0: "batch", 2: "height", 3: "width"}, "output": {0: "batch", 1: "cells"}},
        opset_version=17,
        dynamo=False,
    )
    network = onnx.load_from_string(buffer.getvalue())
    del network.metadata_props[:]
    network.producer_name, network.producer_version, network.doc_string = "clipmill", "", ""
    for node in network.graph.node:
        node.doc_string = ""
    onnx.checker.check_model(network, full_check=True)
    return network


def save(network: onnx.ModelProto, path: Path) -> None:
    """Write the network so that a reader never sees half a file."""
    partial = path.with_suffix(".partial")
    partial.write_bytes(network.SerializeToString(deterministic=True))
    partial.replace(path)
