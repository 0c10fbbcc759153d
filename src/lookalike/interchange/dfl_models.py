"""Models of DeepFaceLab: weights (`.npy` that are pickled dicts), `*_data.dat` and `*_default_options.dat`."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lookalike.interchange.checks import mapping, text, whole
from lookalike.interchange.file_bytes import FileBytes, as_data, read_whole
from lookalike.interchange.pickles import ArrayShape, Limits, read_pickle
from lookalike.interchange.refusals import damaged, not_this, too_large
from lookalike.options import shown

Plain = bool | int | float | str | None
"""A value of an option."""

_MOST_WEIGHTS: Final = 16 * 2**30
_MOST_DATA: Final = 1 << 30
_SHAPES: Final = Limits(steps=2_000_000, memory=64 * 2**20)
_DATA: Final = Limits()
_MOST_NAMES: Final = 20_000
_MOST_OPTIONS: Final = 1000
_MOST_PREVIEWS: Final = 1000
_KINDS: Final = ("float32", "float16", "float64", "int64", "int32")
_NPY: Final = b"\x93NUMPY"
_FILE: Final = re.compile(
    r"(?:(?P<name>.*?)_)?(?P<kind>SAEHD|AMP|Quick96|XSeg|SAE|H64|H128|DF|LIAEF128)_(?P<part>[A-Za-z0-9_]+)"
)


def read_weights(path: Path) -> dict[str, NDArray[np.floating | np.integer]]:
    """The arrays of a weights file by the names of its variables, such as `down1/downs_0/conv1/weight:0`.

    Weights are float32 or float16; an optimizer's file also has whole numbers (`iters:0`). All numbers are finite.

    Raises:
        ForeignFileError: no such file, damaged, larger than 16 GiB, not finite, or it holds code.
    """
    with FileBytes(path) as data:
        _check_head(path, data)
        limits = Limits(steps=_SHAPES.steps, memory=_SHAPES.memory + 2 * len(data))
        found = _named(read_pickle(data, str(path), limits), path)
    arrays: dict[str, NDArray[np.floating | np.integer]] = {}
    for name, array in found.items():
        if not isinstance(array, np.ndarray) or array.dtype.name not in _KINDS:
            raise damaged(f"{name} in {path}", "no array of numbers")
        if not np.isfinite(array).all():
            raise damaged(f"{name} in {path}", "weights that are not finite; the model has collapsed")
        arrays[name] = array
    return arrays


def weights_shapes(path: Path) -> dict[str, ArrayShape]:
    """The shapes of a weights file by the names of its variables; its numbers are not read.

    Raises:
        ForeignFileError: as `read_weights`.
    """
    with FileBytes(path) as data:
        _check_head(path, data)
        found = _named(read_pickle(data, str(path), _SHAPES, shapes_only=True), path)
    if not all(isinstance(shape, ArrayShape) and shape.dtype in _KINDS for shape in found.values()):
        raise not_this(str(path), "weights file of DeepFaceLab", "it holds more than arrays of numbers")
    return {name: shape for name, shape in found.items() if isinstance(shape, ArrayShape)}


@dataclass(frozen=True, slots=True)
class DflModelData:
    """`*_data.dat`: where training stands."""

    iteration: int
    options: Mapping[str, Plain | list[Plain]]
    """By DeepFaceLab's names."""
    loss_history: list[list[float]]
    """An entry an iteration, a number a loss; those that are not finite are kept, as a collapse leaves them."""
    previews: tuple[ArrayShape, ...]
    """Shapes of the faces that the file keeps for its preview; their pixels are never read."""


def read_model_data(path: Path) -> DflModelData:
    """Read `*_data.dat`.

    Raises:
        ForeignFileError: no such file, damaged, larger than 1 GiB, or it holds code.
    """
    origin = str(path)
    with FileBytes(path) as file:
        if len(file) > _MOST_DATA:
            raise too_large(origin, f"{len(file)} bytes, the most is {_MOST_DATA}")
        held = read_pickle(as_data(file), origin, _DATA, shapes_only=True, compact=True)
    return model_data(mapping(held, "model data", origin), origin)


def model_data(data: dict[str, object], origin: str) -> DflModelData:
    """Check what a `*_data.dat` holds; its arrays were read as shapes.

    Raises:
        ForeignFileError: something of it has another shape.
    """
    if "iter" not in data:
        raise not_this(origin, "model data of DeepFaceLab", "no iteration in it")
    previews: list[ArrayShape] = []
    _gather_shapes(data.get("sample_for_preview"), previews)
    if len(previews) > _MOST_PREVIEWS:
        raise too_large(origin, f"{len(previews)} batches of preview faces")
    return DflModelData(
        iteration=whole(data["iter"], 0, 10**10, "iter", origin),
        options=plain_options({} if data.get("options") is None else data["options"], origin),
        loss_history=_losses(data.get("loss_history"), origin),
        previews=tuple(previews),
    )


def read_default_options(path: Path) -> Mapping[str, Plain | list[Plain]]:
    """Read `<Class>_default_options.dat`.

    Raises:
        ForeignFileError: no such file, damaged, larger than 1 MiB, or it holds code.
    """
    origin = str(path)
    return plain_options(read_pickle(read_whole(path, 1 << 20), origin, Limits(memory=32 * 2**20)), origin)


def plain_options(value: object, origin: str) -> dict[str, Plain | list[Plain]]:
    """Options as plain values, and lists of such.

    Raises:
        ForeignFileError: no dict of names, or one holds more.
    """
    held = mapping(value, "options", origin)
    if len(held) > _MOST_OPTIONS:
        raise too_large(origin, f"{len(held)} options")
    return {text(name, "an option's name", origin, 200): _plain_or_list(name, v, origin) for name, v in held.items()}


def file_part(name: str) -> tuple[str, str, str] | None:
    """Model, class and part that a file's name says, such as ("ann", "SAEHD", "encoder"); None for other names."""
    stem, dot, suffix = name.rpartition(".")
    found = _FILE.fullmatch(stem) if dot and suffix in ("npy", "dat") else None
    return (found["name"] or "", found["kind"], found["part"]) if found else None


def _check_head(path: Path, data: FileBytes) -> None:
    if len(data) > _MOST_WEIGHTS:
        raise too_large(str(path), f"{len(data)} bytes, the most is {_MOST_WEIGHTS}")
    if data[0:6] == _NPY:
        raise not_this(str(path), "weights file of DeepFaceLab", "a plain array of NumPy's")


def _named(value: object, path: Path) -> dict[str, object]:
    if not isinstance(value, dict) or not value:
        raise not_this(str(path), "weights file of DeepFaceLab", "no dict of arrays")
    found = mapping(value, "weights", str(path))
    if len(found) > _MOST_NAMES:
        raise too_large(str(path), f"{len(found)} variables")
    return found


def _losses(value: object, origin: str) -> list[list[float]]:
    if isinstance(value, ArrayShape) or value is None:
        return []
    if isinstance(value, np.ndarray) and value.dtype == np.float64:
        return [[loss] if isinstance(loss, float) else loss for loss in value.tolist()]
    if not isinstance(value, list | tuple):
        raise damaged(origin, "loss_history: no list")
    return [_loss(entry, origin) for entry in value]


def _loss(entry: object, origin: str) -> list[float]:
    losses = entry if isinstance(entry, list | tuple | np.ndarray) else [entry]
    numbers = [float(loss) for loss in losses if isinstance(loss, float | int | np.floating)]
    if len(numbers) != len(losses):
        raise damaged(origin, "loss_history: an entry that is no number")
    return numbers


def _gather_shapes(value: object, found: list[ArrayShape]) -> None:
    """Every array in lists, tuples and dicts; they nest no deeper than a pickle may."""
    if isinstance(value, ArrayShape):
        found.append(value)
    elif isinstance(value, list | tuple):
        for item in value:
            _gather_shapes(item, found)
    elif isinstance(value, dict):
        _gather_shapes(list(value.values()), found)


def _plain_or_list(name: str, value: object, origin: str) -> Plain | list[Plain]:
    if isinstance(value, list | tuple) and len(value) <= _MOST_OPTIONS:
        return [_plain(name, item, origin) for item in value]
    return _plain(name, value, origin)


def _plain(name: str, value: object, origin: str) -> Plain:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        return text(value, f"option {shown(name)}", origin)
    if isinstance(value, float) and not math.isfinite(value):
        raise damaged(origin, f"option {name}: {value}")
    if not isinstance(value, bool | int | float | None):
        raise damaged(origin, f"option {name}: a {type(value).__name__}")
    return value
