"""A network of torch as an ONNX graph, written operator by operator.

torch's exporter writes opset 18 and newer, and its older one does not know all that our networks do at opset 12, which
players of .dfm need. What `torch.export` makes of them has some twenty operators; each is one to three nodes here.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch.fx import Node

from lookalike import __version__

BATCH: Final = "n"
"""Name of the first dimension of inputs and outputs, which is left open."""
_aten: Final = torch.ops.aten


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output."""

    name: str
    shape: tuple[int, ...]
    """A first number of 0 stands for any."""
    said: str
    """What it holds, for people."""

    def described(self) -> onnx.ValueInfoProto:
        """As ONNX says it."""
        shape = [BATCH if size == 0 else size for size in self.shape]
        return helper.make_tensor_value_info(self.name, TensorProto.FLOAT, shape, self.said)


@dataclass(slots=True)
class _Graph:
    """What is written so far."""

    half: bool
    """Keep weights as float16."""
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: list[onnx.TensorProto] = field(default_factory=list)
    names: dict[Node, str] = field(default_factory=dict)
    """Of the values that nodes of torch have become."""

    def put(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add a node; the name of its only output."""
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, value: NDArray[Any], name: str | None = None) -> str:
        """Add a constant; its name."""
        name = name or f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def weight(self, value: NDArray[np.float32], name: str) -> str:
        """Add what was learnt; a matrix or a convolution may be kept in half, and is computed with in float32."""
        if not self.half or value.ndim < 2:
            return self.constant(value, name)
        return self.put("Cast", self.constant(value.astype(np.float16), name), to=TensorProto.FLOAT)

    def of(self, value: object) -> str:
        """The name of what a node of torch gave, or of a number."""
        if isinstance(value, Node):
            return self.names[value]
        assert isinstance(value, int | float)
        return self.constant(np.array(value, np.float32))

    def shaped(self, value: str, shape: Sequence[int]) -> str:
        """Reshape but for the first dimension, which stays."""
        return self.put("Reshape", value, self.constant(np.array([0, *shape[1:]], np.int64)))


def onnx_model(
    module: torch.nn.Module,
    inputs: Sequence[Port],
    outputs: Sequence[Port],
    *,
    opset: int,
    half: bool,
    notes: Mapping[str, str],
) -> onnx.ModelProto:
    """Write a module whose every row of a batch is computed for itself.

    Args:
        module: on the processor, ready to be used.
        inputs: in the order in which it takes them.
        outputs: in the order in which it gives them, as a tuple.
        opset: 12 to 17.
        half: keep matrices and convolutions as float16.
        notes: for the file's metadata.

    Raises:
        NotImplementedError: an operator that is not known here.
    """
    examples = tuple(torch.zeros([size or 1 for size in port.shape]) for port in inputs)
    program = torch.export.export(module, examples, strict=False)
    graph = _Graph(half)
    _write(graph, program, [port.name for port in inputs])
    (given,) = program.graph.output_node().args
    assert isinstance(given, tuple)
    for port, node in zip(outputs, given, strict=True):
        graph.nodes.append(helper.make_node("Identity", [graph.of(node)], [port.name]))
    taken, drawn = ([port.described() for port in ports] for ports in (inputs, outputs))
    made = helper.make_graph(graph.nodes, "lookalike", taken, drawn, graph.constants)
    opsets = [helper.make_opsetid("", opset)]
    model = helper.make_model(
        made,
        opset_imports=opsets,
        ir_version=helper.find_min_ir_version_for(opsets),
        producer_name="Lookalike",
        producer_version=__version__,
    )
    helper.set_model_props(model, dict(notes))
    return model


def _write(graph: _Graph, program: torch.export.ExportedProgram, inputs: Sequence[str]) -> None:
    """Write all that the outputs need, and nothing else."""
    needed = _needed(program.graph.output_node())
    signature = program.graph_signature
    learnt = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    given = dict(zip(signature.user_inputs, inputs, strict=True))
    for node in program.graph.nodes:
        if node.op == "placeholder" and node.name in given:
            graph.names[node] = given[node.name]
        elif node not in needed or node.op == "output":
            continue
        elif node.op == "placeholder":
            name = learnt[node.name]
            value = program.state_dict[name].detach().contiguous().numpy()
            graph.names[node] = graph.weight(value, name)
        else:
            write = _OPERATORS.get(node.target)
            if write is None:
                raise NotImplementedError(f"no way is known to write {node.target} as ONNX")
            _check_changes(node, needed)
            graph.names[node] = write(graph, node)


def _needed(output: Node) -> set[Node]:
    """All that a node depends on."""
    found, waiting = {output}, [output]
    while waiting:
        fresh = set(waiting.pop().all_input_nodes) - found
        found |= fresh
        waiting += fresh
    return found


def _check_changes(node: Node, needed: set[Node]) -> None:
    """An operator that writes over its input may be written as one that does not if nobody else reads that input."""
    if str(node.target).split(".")[1].endswith("_"):
        changed = node.args[0]
        assert isinstance(changed, Node)
        assert {user for user in changed.users if user in needed} == {node}


def _conv(graph: _Graph, node: Node) -> str:
    picture, weight, bias, *window = node.args
    stride, padding = window + [(1, 1), (0, 0)][len(window) :]
    assert isinstance(stride, list | tuple)
    assert isinstance(padding, list | tuple)
    ends = [*padding, *padding]
    return graph.put("Conv", graph.of(picture), graph.of(weight), graph.of(bias), strides=list(stride), pads=ends)


def _linear(graph: _Graph, node: Node) -> str:
    return graph.put("Gemm", *(graph.of(part) for part in node.args), transB=1)


def _leaky(graph: _Graph, node: Node) -> str:
    return graph.put("LeakyRelu", graph.of(node.args[0]), alpha=node.args[1])


def _shuffle(graph: _Graph, node: Node) -> str:
    return graph.put("DepthToSpace", graph.of(node.args[0]), blocksize=node.args[1], mode="CRD")


def _unshuffle(graph: _Graph, node: Node) -> str:
    """ONNX's SpaceToDepth lays channels in another order."""
    _, channels, height, width = _shape(node)
    side = node.args[1]
    assert isinstance(side, int)
    apart = graph.shaped(graph.of(node.args[0]), [1, channels // side**2, height, side, width, side])
    turned = graph.put("Transpose", apart, perm=[0, 1, 3, 5, 2, 4])
    return graph.shaped(turned, [1, channels, height, width])


def _reshape(graph: _Graph, node: Node) -> str:
    return graph.shaped(graph.of(node.args[0]), _shape(node))


def _stack(graph: _Graph, node: Node) -> str:
    parts, axis = node.args
    assert isinstance(parts, list | tuple)
    assert isinstance(axis, int)
    shape = list(_shape(node))
    shape[axis] = 1
    return graph.put("Concat", *(graph.shaped(graph.of(part), shape) for part in parts), axis=axis)


def _cat(graph: _Graph, node: Node) -> str:
    parts, axis = node.args
    assert isinstance(parts, list | tuple)
    assert axis != 0
    return graph.put("Concat", *(graph.of(part) for part in parts), axis=axis)


def _slice(graph: _Graph, node: Node) -> str:
    value, axis, start, end = node.args
    assert axis != 0
    bounds = [graph.constant(np.array([number], np.int64)) for number in (start, end, axis)]
    return graph.put("Slice", graph.of(value), *bounds)


def _flip(graph: _Graph, node: Node) -> str:
    value, axes = node.args
    assert isinstance(axes, list | tuple)
    (axis,) = axes
    assert isinstance(axis, int)
    order = np.arange(_shape(node)[axis])[::-1].astype(np.int64)
    return graph.put("Gather", graph.of(value), graph.constant(order), axis=axis)


def _permute(graph: _Graph, node: Node) -> str:
    return graph.put("Transpose", graph.of(node.args[0]), perm=node.args[1])


def _mean(graph: _Graph, node: Node) -> str:
    value, axes, keep = node.args
    return graph.put("ReduceMean", graph.of(value), axes=axes, keepdims=int(bool(keep)))


def _square(graph: _Graph, node: Node) -> str:
    value = graph.of(node.args[0])
    return graph.put("Mul", value, value)


def _rsqrt(graph: _Graph, node: Node) -> str:
    return graph.put("Reciprocal", graph.put("Sqrt", graph.of(node.args[0])))


def _as_it_is(graph: _Graph, node: Node) -> str:
    assert node.meta["val"].dtype == torch.float32
    return graph.of(node.args[0])


def _same(kind: str) -> Callable[[_Graph, Node], str]:
    """An operator that ONNX has, too, with the same operands."""

    def write(graph: _Graph, node: Node) -> str:
        assert not node.kwargs
        return graph.put(kind, *(graph.of(value) for value in node.args))

    return write


def _shape(node: Node) -> tuple[int, ...]:
    """Of what a node gives, for a batch of one."""
    return tuple(node.meta["val"].shape)


_OPERATORS: Final[dict[Any, Callable[[_Graph, Node], str]]] = {
    _aten.conv2d.default: _conv,
    _aten.linear.default: _linear,
    _aten.leaky_relu.default: _leaky,
    _aten.leaky_relu_.default: _leaky,
    _aten.pixel_shuffle.default: _shuffle,
    _aten.pixel_unshuffle.default: _unshuffle,
    _aten.flatten.using_ints: _reshape,
    _aten.unflatten.int: _reshape,
    _aten.stack.default: _stack,
    _aten.cat.default: _cat,
    _aten.slice.Tensor: _slice,
    _aten.flip.default: _flip,
    _aten.permute.default: _permute,
    _aten.mean.dim: _mean,
    _aten.square.default: _square,
    _aten.rsqrt.default: _rsqrt,
    _aten.to.dtype: _as_it_is,
    _aten.add.Tensor: _same("Add"),
    _aten.add_.Tensor: _same("Add"),
    _aten.mul.Tensor: _same("Mul"),
    _aten.cos.default: _same("Cos"),
    _aten.sigmoid.default: _same("Sigmoid"),
    _aten.floor.default: _same("Floor"),
    _aten.lt.Tensor: _same("Less"),
    _aten.where.self: _same("Where"),
}
