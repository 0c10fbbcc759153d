"""Arrays as numpy writes them into pickles, made here from checked sizes; numpy's own unpickling is never reached."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lookalike.interchange.file_bytes import Data

_KIND: Final = re.compile(r"([<>|=]?)(b1|\?|[iu][1248]|f[248])")
_MOST_DIMENSIONS: Final = 16
_LONGEST_SIDE: Final = 1 << 40


@dataclass(frozen=True, slots=True)
class Slice:
    """Bytes that were left where they lie until somebody needs them."""

    data: Data
    start: int
    length: int

    def read(self) -> bytes:
        """The bytes.

        Raises:
            ValueError: the file was cut meanwhile.
        """
        found = self.data[self.start : self.start + self.length]
        if len(found) != self.length:
            raise ValueError("it ends too early")
        return found


@dataclass(frozen=True, slots=True)
class ArrayShape:
    """What is known of an array whose numbers were not read."""

    shape: tuple[int, ...]
    dtype: str
    """As numpy names it, e.g. float32."""

    @property
    def bytes(self) -> int:
        """Size of its numbers."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


@dataclass(slots=True)
class ArrayType:
    """A numpy dtype: plain numbers or truth values, nothing else."""

    kind: str
    """f4, i8, b1 and so on, without byte order."""
    order: str = "<"

    @property
    def numpy(self) -> np.dtype[np.generic]:
        """As numpy has it; truth values are read as bytes."""
        return np.dtype("u1" if self.kind == "b1" else self.order + self.kind)

    def take(self, state: object) -> None:
        """What BUILD says of it, of which only the byte order is new.

        Raises:
            ValueError: it is more than a plain type.
        """
        if not isinstance(state, tuple) or len(state) not in (8, 9) or state[2:5] != (None, None, None):
            raise ValueError("an array of records, which is not read")
        if state[1] not in ("<", ">", "|", "="):
            raise ValueError("an array's byte order")
        self.order = ">" if state[1] == ">" else "<"


def array_type(arguments: tuple[object, ...]) -> ArrayType:
    """What `numpy.dtype(...)` stands for.

    Raises:
        ValueError: no plain numbers.
    """
    code = arguments[0] if arguments else None
    found = _KIND.fullmatch(code) if isinstance(code, str) and len(code) < 8 else None
    if found is None:
        raise ValueError(f"an array of {code!r:.20}, only numbers are read")
    kind = "b1" if found[2] == "?" else found[2]
    return ArrayType(kind, ">" if found[1] == ">" else "<")


@dataclass(slots=True, eq=False)
class PendingArray:
    """An array that numpy's pickles name first and fill later."""

    value: NDArray[np.generic] | ArrayShape | None = field(default=None)

    def take(self, state: object, make: "Maker") -> None:
        """What BUILD says: (version, shape, type, Fortran order, bytes).

        Raises:
            ValueError: anything else.
        """
        if self.value is not None or not isinstance(state, tuple) or len(state) != 5:
            raise ValueError("an array's state")
        _, shape, kind, fortran, raw = state
        self.value = make(raw, kind, shape, "F" if fortran is True or fortran == 1 else "C")


Maker = Callable[[object, object, object, str], NDArray[np.generic] | ArrayShape]


def checked_shape(shape: object) -> tuple[int, ...]:
    """A shape that an array can have.

    Raises:
        ValueError: no tuple of whole numbers from 0.
    """
    shape = (shape,) if type(shape) is int else shape
    if not isinstance(shape, tuple) or len(shape) > _MOST_DIMENSIONS:
        raise ValueError("an array's shape")
    sides = tuple(side for side in shape if type(side) is int and 0 <= side <= _LONGEST_SIDE)
    if len(sides) != len(shape) or math.prod(max(side, 1) for side in sides) > _LONGEST_SIDE:
        raise ValueError("an array's shape")
    return sides


def make_array(
    raw: object, kind: object, shape: object, order: str, spend: Callable[[int], None], *, shapes_only: bool
) -> NDArray[np.generic] | ArrayShape:
    """An array of its bytes, in the machine's byte order and free to be written to.

    Args:
        raw: bytes, a Slice, or text of Latin-1 letters as Python 2 wrote them.
        kind: an ArrayType.
        shape: what the file says.
        order: C or F.
        spend: asked for so many bytes before they are taken.
        shapes_only: leave the numbers out.

    Raises:
        ValueError: type, shape and bytes do not fit each other.
    """
    sides = checked_shape(shape)
    if not isinstance(kind, ArrayType) or order not in ("C", "F"):
        raise ValueError("an array's type")
    if isinstance(raw, str):
        raw = raw.encode("latin-1")
    if not isinstance(raw, bytes | Slice):
        raise ValueError("an array's bytes")
    length = raw.length if isinstance(raw, Slice) else len(raw)
    if math.prod(sides) * kind.numpy.itemsize != length:
        raise ValueError(f"an array of shape {sides} in {length} bytes")
    name = np.dtype("bool" if kind.kind == "b1" else kind.kind).name
    if shapes_only:
        spend(64)
        return ArrayShape(sides, name)
    spend(128 + 2 * length)
    flat = np.frombuffer(bytearray(raw.read() if isinstance(raw, Slice) else raw), kind.numpy)
    array = flat.reshape(sides, order="F" if order == "F" else "C")
    return array != 0 if kind.kind == "b1" else array.astype(name, copy=False)


def make_scalar(kind: object, raw: object) -> np.generic:
    """One number of numpy's.

    Raises:
        ValueError: type and bytes do not fit each other.
    """
    array = make_array(raw, kind, (1,), "C", lambda _: None, shapes_only=False)
    assert isinstance(array, np.ndarray)
    number: np.generic = array[0]
    return number
