"""Weights and optimizer of a DeepFaceLab 2 model as those of our network of the same sizes.

Shapes are compared before any number is read, so that no file can ask for more memory than its own size and the
network's.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lookalike.errors import ForeignFileError
from lookalike.interchange.dfl_layout import Variable, amp_variables, saehd_variables, xseg_variables
from lookalike.interchange.dfl_models import read_weights, weights_shapes
from lookalike.interchange.pickles import ArrayShape
from lookalike.interchange.refusals import damaged, shown_path
from lookalike.models.build import shapes_of
from lookalike.models.config import AmpConfig, ModelConfig, SaehdConfig
from lookalike.models.dfl_xseg import dfl_xseg_shapes
from lookalike.options import shown

_WIDEST = 256
"""Channels of XSeg's first stage; it has 32."""
_MOST_STEPS = 1 << 24
"""Steps that float32, in which our optimizers count, can tell apart."""
MOMENTS = {"exp_avg": "ms", "exp_avg_var": "vs"}
"""AdaBelief's moments: our names, and what theirs begin with."""


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """What was read of one file."""

    weights: dict[str, Tensor]
    """By our names, float32."""
    missing: tuple[str, ...]
    """Their names of arrays that are not in the file."""


def variables_of(config: ModelConfig) -> list[Variable]:
    """Every array of a network that DeepFaceLab 2 has, too.

    Raises:
        TypeError: it has no such network.
    """
    if isinstance(config, SaehdConfig):
        return saehd_variables(config)
    if isinstance(config, AmpConfig):
        return amp_variables(config)
    raise TypeError(f"DeepFaceLab 2 has no network {config.model}")


def read_parts(files: Mapping[str, Path], config: ModelConfig) -> Iterator[Taken]:
    """Read the weights of a network, file by file.

    Args:
        files: by part.
        config: sizes; each array must have the shape that they say, or as many numbers.

    Raises:
        ForeignFileError: a file is missing, damaged, hostile, or does not fit.
    """
    variables, shapes = variables_of(config), {name: tuple(shape) for name, shape in shapes_of(config).items()}
    parts = dict.fromkeys(one.part for one in variables)
    lost = [part for part in parts if part not in files]
    if lost:
        folder = next(iter(files.values())).parent
        raise ForeignFileError(f"{shown_path(folder)} lacks the file of {', '.join(lost)}; copy all files of the model")
    wanted = {part: [one for one in variables if one.part == part] for part in parts}
    missing = {part: _check(files[part], wanted[part], shapes) for part in parts}
    for part in parts:
        yield Taken(_read(files[part], wanted[part], shapes), missing[part])


def read_moments(path: Path, config: ModelConfig) -> dict[str, Tensor] | None:
    """What AdaBelief remembers, by `<moment>/<parameter>` as in our checkpoints; None if it is another optimizer's.

    Raises:
        ForeignFileError: damaged, hostile, or of another network.
    """
    shapes = {name: tuple(shape) for name, shape in shapes_of(config).items()}
    found = weights_shapes(path)
    if "iters:0" not in found or not any(name.startswith("vs_") for name in found):
        return None
    wanted = [_moment(one, start) for one in variables_of(config) for start in MOMENTS.values()]
    _check(path, wanted, shapes, beside=("iters:0",))
    arrays = read_weights(path)
    if arrays["iters:0"].size != 1:
        raise damaged(str(path), "iters:0: no single number")
    steps = torch.tensor(float(min(max(int(arrays["iters:0"].reshape(())), 0), _MOST_STEPS)))
    made: dict[str, Tensor] = {}
    for one in variables_of(config):
        made[f"step/{one.ours}"] = steps.clone()
        for ours, start in MOMENTS.items():
            array = arrays.get(_moment(one, start).theirs)
            made[f"{ours}/{one.ours}"] = (
                torch.zeros(shapes[one.ours]) if array is None else _tensor(array, one, shapes[one.ours])
            )
    return made


def read_xseg(path: Path) -> dict[str, Tensor]:
    """The weights of an XSeg network by our names, float32.

    Raises:
        ForeignFileError: damaged, hostile, or of another network.
    """
    tau = weights_shapes(path).get("conv01/tlu/tau:0", ArrayShape((), "float32")).shape
    if len(tau) != 1 or not 0 < tau[0] <= _WIDEST:
        raise ForeignFileError(f"{shown_path(path)} is no XSeg of DeepFaceLab 2; see: lookalike inspect FILE")
    shapes = dfl_xseg_shapes(tau[0])
    missing = _check(path, xseg_variables(), shapes)
    if missing:
        raise ForeignFileError(f"{shown_path(path)} lacks {shown(missing[0])}; copy it again from where it came")
    return _read(path, xseg_variables(), shapes)


def part_arrays(
    variables: Sequence[Variable], weights: Mapping[str, Tensor]
) -> Iterator[tuple[str, dict[str, NDArray[np.float32]]]]:
    """For each part, the arrays of its file by their names."""
    for part in dict.fromkeys(one.part for one in variables):
        of_part = [one for one in variables if one.part == part]
        yield part, {one.theirs: one.to_theirs(_array(weights[one.ours])) for one in of_part}


def moment_arrays(config: ModelConfig, moments: Mapping[str, Tensor]) -> dict[str, NDArray[np.generic]]:
    """The file of an AdaBelief that remembers what ours does; empty if ours does not remember anything of its kind."""
    variables = [one for one in variables_of(config) if all(f"{name}/{one.ours}" in moments for name in MOMENTS)]
    if not variables:
        return {}
    steps = max(int(moments[f"step/{one.ours}"]) for one in variables)
    made: dict[str, NDArray[np.generic]] = {"iters:0": np.array(steps, np.int64)}
    for ours, start in MOMENTS.items():
        for one in variables:
            made[_moment(one, start).theirs] = one.to_theirs(_array(moments[f"{ours}/{one.ours}"]))
    return made


def _moment(one: Variable, start: str) -> Variable:
    theirs = f"{start}_{one.part}/{one.theirs.replace(':', '_')}:0"
    return Variable(one.part, theirs, one.ours, one.kind, one.colors)


def _check(
    path: Path, wanted: Sequence[Variable], shapes: Mapping[str, tuple[int, ...]], beside: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """See by its shapes that a file fits; the names that it lacks."""
    found = weights_shapes(path)
    expected = {one.theirs: one.shape_there(shapes[one.ours]) for one in wanted}
    foreign = [name for name in found if name not in expected and name not in beside]
    missing = tuple(name for name in expected if name not in found)
    if foreign and missing:
        raise ForeignFileError(
            f"{shown_path(path)} does not fit the options of its model: it has {shown(foreign[0])}, and "
            f"{shown(missing[0])} was expected; take all files from one model"
        )
    if len(missing) == len(expected):
        raise ForeignFileError(f"{shown_path(path)} has no layer of its model; copy it again from where it came")
    for name, shape in expected.items():
        if name not in found:
            continue
        if not found[name].dtype.startswith("float"):
            raise damaged(f"{name} in {path}", f"{found[name].dtype}, no weights")
        if math.prod(found[name].shape) != math.prod(shape):
            raise ForeignFileError(
                f"{shown_path(path)} does not fit the options of its model: {name} is {_shown(found[name].shape)}, "
                f"and {_shown(shape)} was expected; take all files from one model"
            )
    return missing


def _read(path: Path, wanted: Sequence[Variable], shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    arrays = read_weights(path)
    return {one.ours: _tensor(arrays[one.theirs], one, shapes[one.ours]) for one in wanted if one.theirs in arrays}


def _tensor(array: NDArray[np.generic], one: Variable, shape: tuple[int, ...]) -> Tensor:
    with np.errstate(over="ignore"):
        floats = np.asarray(array, np.float32).reshape(one.shape_there(shape))
    if not np.isfinite(floats).all():
        raise ForeignFileError(f"{one.theirs} has numbers larger than float32 can hold; the model has collapsed")
    return torch.from_numpy(one.to_ours(floats))


def _array(tensor: Tensor) -> NDArray[np.float32]:
    return np.asarray(tensor.detach().float().cpu().numpy(), np.float32)


def _shown(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "one number"
