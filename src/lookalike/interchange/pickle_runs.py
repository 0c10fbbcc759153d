"""Runs of numbers in pickles, read at once: landmarks, thumbnails, embeddings and histories are little else."""

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

LEAST: Final = 64
"""Numbers of a list that are kept as an array, if arrays are wanted."""
LEAST_PAIRS: Final = 4
_MOST: Final = 65536
_INTS: Final = re.compile(rb"(?:K[\x00-\xff]){4,%d}" % _MOST)
_FLOATS: Final = re.compile(rb"(?:G[\x00-\xff]{8}){4,%d}" % _MOST)
_FLOAT: Final = np.dtype({"names": ["x"], "formats": [">f8"], "offsets": [1], "itemsize": 9})


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Items of a list as an array: numbers, or rows of two."""

    values: NDArray[np.generic]


@dataclass(frozen=True, slots=True)
class _Pairs:
    """How a list of two numbers is written that is remembered in one of the three ways."""

    start: bytes
    pattern: re.Pattern[bytes]
    layout: np.dtype[np.void]


def _pairs(start: bytes, index: str | None) -> _Pairs:
    width = np.dtype(index).itemsize if index else 0
    x = len(start) + width + 2
    fields = {"x": (">f8", x), "y": (">f8", x + 9), **({"n": (index, len(start))} if index else {})}
    layout = np.dtype(
        {
            "names": list(fields),
            "formats": [kind for kind, _ in fields.values()],
            "offsets": [at for _, at in fields.values()],
            "itemsize": x + 18,
        }
    )
    text = re.escape(start) + rb"[\x00-\xff]{%d}\(G[\x00-\xff]{8}G[\x00-\xff]{8}e" % width
    return _Pairs(start, re.compile(rb"(?:%s){1,%d}" % (text, _MOST)), layout)


_KINDS: Final = (_pairs(b"]\x94", None), _pairs(b"]q", "u1"), _pairs(b"]r", "<u4"))


def small_ints(data: object, at: int) -> bytes:
    """The numbers of BININT1 opcodes, of which the first is at `at`; none if they are few."""
    if type(data) is not bytes or data[at + 2 : at + 8 : 2] != b"KKK":
        return b""
    found = _INTS.match(data, at)
    return data[at + 1 : found.end() : 2] if found else b""


def floats(data: object, at: int) -> NDArray[np.float64]:
    """The numbers of BINFLOAT opcodes, of which the first is at `at`; none if they are few."""
    if type(data) is not bytes or data[at + 9 : at + 36 : 9] != b"GGG":
        return _NONE
    found = _FLOATS.match(data, at)
    count = (found.end() - at) // 9 if found else 0
    return np.frombuffer(data, _FLOAT, count, at)["x"].astype(np.float64)


def pairs(data: object, at: int, known: int) -> tuple[NDArray[np.float64], int]:
    """Remembered lists of two numbers each, of which the first is at `at`.

    Args:
        data: the pickle.
        at: where.
        known: how many values are remembered so far; the lists must be remembered behind them, one after the other.

    Returns:
        (N, 2), and how many bytes they take.
    """
    kind = next((kind for kind in _KINDS if data[at : at + 2] == kind.start), None) if type(data) is bytes else None
    found = kind.pattern.match(data, at) if kind is not None and isinstance(data, bytes) else None
    if kind is None or found is None or not isinstance(data, bytes):
        return _NO_PAIRS, 0
    rows = np.frombuffer(data, kind.layout, (found.end() - at) // kind.layout.itemsize, at)
    if "n" in (kind.layout.names or ()) and not np.array_equal(rows["n"], np.arange(known, known + len(rows))):
        return _NO_PAIRS, 0
    return np.stack([rows["x"], rows["y"]], 1).astype(np.float64), found.end() - at


def joined(items: list[object]) -> NDArray[np.generic] | None:
    """The array that chunks and what lies between them make; None where they do not fit each other."""
    first = next(item.values for item in items if isinstance(item, Chunk))
    kind = float if first.dtype.kind == "f" else int
    parts = []
    for item in items:
        if isinstance(item, Chunk):
            parts.append(item.values)
        elif first.ndim == 2 and isinstance(item, list) and len(item) == 2 and all(type(x) is float for x in item):
            parts.append(np.array([item]))
        elif first.ndim == 1 and type(item) is kind and _fits(item):
            parts.append(np.array([item], first.dtype))
        else:
            return None
    fit = all(part.dtype == first.dtype and part.ndim == first.ndim for part in parts)
    return np.concatenate(parts) if fit else None


def _fits(item: object) -> bool:
    return isinstance(item, float) or (isinstance(item, int) and 0 <= item < 256)


def spread(items: list[object]) -> list[object]:
    """A list with the items of its chunks."""
    return [one for item in items for one in (item.values.tolist() if isinstance(item, Chunk) else [item])]


_NONE: Final = np.zeros(0)
_NO_PAIRS: Final = np.zeros((0, 2))
