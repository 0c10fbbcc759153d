"""Values of a foreign file, each checked before it is used."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lookalike.interchange.refusals import damaged

LARGEST: Final = 1_000_000.0
"""Pixels, and whatever else is measured."""
LONGEST_TEXT: Final = 4096


def mapping(value: object, what: str, origin: str) -> dict[str, object]:
    """A dict whose keys are texts.

    Raises:
        ForeignFileError: it is none; names `what`, in the file `origin`.
    """
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise damaged(origin, f"{what}: no dict of names")
    return value


def items(value: object, most: int, what: str, origin: str) -> list[object]:
    """A list or tuple of at most `most` values.

    Raises:
        ForeignFileError: it is none, or longer.
    """
    if not isinstance(value, list | tuple) or len(value) > most:
        raise damaged(origin, f"{what}: no list of at most {most}")
    return list(value)


def text(value: object, what: str, origin: str, most: int = LONGEST_TEXT) -> str:
    """A text of at most `most` letters.

    Raises:
        ForeignFileError: it is none, or longer.
    """
    if not isinstance(value, str) or len(value) > most:
        raise damaged(origin, f"{what}: no text of at most {most} letters")
    return value


def whole(value: object, low: int, high: int, what: str, origin: str) -> int:
    """A whole number.

    Raises:
        ForeignFileError: it is none, or outside low..high.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not low <= int(value) <= high:
        raise damaged(origin, f"{what}: no whole number from {low} to {high}")
    return int(value)


def real(value: object, what: str, origin: str, most: float = LARGEST) -> float:
    """A finite number.

    Raises:
        ForeignFileError: it is none, not finite, or beyond `most` either way.
    """
    if not _is_number(value) or not math.isfinite(found := float(value)) or abs(found) > most:  # type: ignore[arg-type]
        raise damaged(origin, f"{what}: no number up to {most:g}")
    return found


def numbers(
    value: object, shape: tuple[int | None, ...], what: str, origin: str, most: float = LARGEST
) -> NDArray[np.float64]:
    """Finite numbers, as an array or as lists in each other, as float64.

    Args:
        value: of the file.
        shape: what it must have; None where any number of them is good.
        what: named in errors.
        origin: named in errors.
        most: the largest number, either way.

    Raises:
        ForeignFileError: another shape, or a number that is none, not finite or too large.
    """
    wanted = " x ".join("any" if side is None else str(side) for side in shape)
    if not _are_numbers(value, len(shape)):
        raise damaged(origin, f"{what}: no {wanted} numbers")
    try:
        found = np.asarray(value, np.float64)
    except (ValueError, TypeError, OverflowError) as exc:
        raise damaged(origin, f"{what}: no {wanted} numbers") from exc
    if found.size == 0 and 0 not in shape and None in shape:
        found = found.reshape([side or 0 for side in shape])
    if found.ndim != len(shape) or any(side not in (None, got) for side, got in zip(shape, found.shape, strict=True)):
        raise damaged(origin, f"{what}: {' x '.join(map(str, found.shape))} numbers in the place of {wanted}")
    if not np.isfinite(found).all() or (np.abs(found) > most).any():
        raise damaged(origin, f"{what}: numbers that are not finite, or beyond {most:g}")
    return found


def buffer(value: object, most: int, what: str, origin: str) -> bytes:
    """Bytes, or an array of bytes in a row or a column.

    Raises:
        ForeignFileError: neither, or more than `most`.
    """
    if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.size == max(value.shape, default=1):
        value = value.tobytes()
    if not isinstance(value, bytes) or len(value) > most:
        raise damaged(origin, f"{what}: not at most {most} bytes")
    return value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _are_numbers(value: object, depth: int) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim == depth and value.dtype.kind in "iuf"
    if depth == 0:
        return _is_number(value)
    return isinstance(value, list | tuple) and all(_are_numbers(item, depth - 1) for item in value)
