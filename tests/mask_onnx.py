"""A mask network in a file: what is brighter than a threshold is face."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def write_mask_onnx(path: Path, *, side: int | None = 64, planar: bool = True, bgr: bool = False) -> Path:
    """Mask = clip(4 red - 1, 0, 1) of a picture (1, 3, S, S), or (1, S, S, 3)."""
    shape = [1, 3, side or "s", side or "s"] if planar else [1, side or "s", side or "s", 3]
    weight = np.array([0, 0, 4] if bgr else [4, 0, 0], np.float32)
    weight = weight.reshape((1, 3, 1, 1) if planar else (1, 1, 1, 3))
    consts = [numpy_helper.from_array(v, n) for n, v in (
        ("w", weight), ("one", np.array(1, np.float32)), ("low", np.array(0, np.float32)),
        ("high", np.array(1, np.float32)), ("axis", np.array([1 if planar else 3], np.int64)),
    )]  # fmt: skip
    nodes = [
        helper.make_node("Mul", ["face", "w"], ["weighted"]),
        helper.make_node("ReduceSum", ["weighted", "axis"], ["red"], keepdims=1),
        helper.make_node("Sub", ["red", "one"], ["more"]),
        helper.make_node("Clip", ["more", "low", "high"], ["mask"]),
    ]
    graph = helper.make_graph(
        nodes,
        "mask",
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("mask", TensorProto.FLOAT, None)],
        consts,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    if bgr:
        helper.set_model_props(model, {"channels": "bgr"})
    onnx.save(model, str(path))
    return path
