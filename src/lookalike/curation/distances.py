"""How far faces lie apart, block by block, so that no matrix of all pairs is ever in memory."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

_BLOCK = 256
"""Rows of a block: of 20,000 faces 20 MB."""
_SAME = 1e-6
"""Rounding of a product of two unit vectors in float32: below it two histograms are the same."""
Rows = NDArray[np.intp]


class Distance(Protocol):
    """Distances between items that are known by number."""

    def __len__(self) -> int:
        """How many items there are."""

    def between(self, a: Rows | slice, b: Rows | slice) -> NDArray[np.float32]:
        """(A, B) distances of the items `a` from the items `b`."""


class Bhattacharyya:
    """Sum over channels of the Bhattacharyya distance of histograms, as OpenCV defines it: sqrt(1 - sum sqrt(p q)).

    With the square roots kept instead of the counts, the sum is a matrix product.
    """

    def __init__(self, roots: NDArray[np.float32], channels: int) -> None:
        """Take (N, channels * bins) square roots of shares; those of a channel have length 1."""
        self._channels = [np.ascontiguousarray(part) for part in np.split(roots, channels, axis=1)]

    def __len__(self) -> int:
        return len(self._channels[0])

    def between(self, a: Rows | slice, b: Rows | slice) -> NDArray[np.float32]:
        total: NDArray[np.float32] | None = None
        for roots in self._channels:
            apart = roots[a] @ roots[b].T
            np.subtract(1, apart, out=apart)
            apart[apart < _SAME] = 0
            np.sqrt(apart, out=apart)
            total = apart if total is None else np.add(total, apart, out=total)
        assert total is not None
        return total


class Euclidean:
    """Length of the difference of two vectors."""

    def __init__(self, vectors: NDArray[np.floating]) -> None:
        """Take (N, D) vectors."""
        centred = np.asarray(vectors, np.float64)
        self._vectors = (centred - centred.mean(0)).astype(np.float32)
        self._squares = (self._vectors**2).sum(1)

    def __len__(self) -> int:
        return len(self._vectors)

    def between(self, a: Rows | slice, b: Rows | slice) -> NDArray[np.float32]:
        square = self._vectors[a] @ (-2 * self._vectors[b].T)
        square += self._squares[a][:, None]
        square += self._squares[b]
        square[square < _SAME * (1 + self._squares[a][:, None])] = 0
        return np.asarray(np.sqrt(square, out=square), np.float32)


class Manhattan:
    """Sum of the absolute differences of two vectors."""

    def __init__(self, vectors: NDArray[np.floating]) -> None:
        """Take (N, D) vectors."""
        self._vectors = np.ascontiguousarray(vectors, np.float32)

    def __len__(self) -> int:
        return len(self._vectors)

    def between(self, a: Rows | slice, b: Rows | slice) -> NDArray[np.float32]:
        first, second = self._vectors[a], np.ascontiguousarray(self._vectors[b].T)
        total = np.zeros((len(first), second.shape[1]), np.float32)
        part = np.empty_like(total)
        for column in range(len(second)):
            np.subtract(first[:, column, None], second[column], out=part)
            np.abs(part, out=part)
            total += part
        return total


def blocks(count: int, size: int = _BLOCK) -> Iterator[slice]:
    """0..count in slices of `size`."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def sums(distance: Distance) -> NDArray[np.float64]:
    """(N,) sum of the distances of each item from all others."""
    everything = slice(0, len(distance))
    parts = [distance.between(rows, everything).sum(1, dtype=np.float64) for rows in blocks(len(distance))]
    return np.concatenate(parts) if parts else np.zeros(0)


def manhattan_sums(vectors: NDArray[np.floating]) -> NDArray[np.float64]:
    """(N,) sum of the Manhattan distances of each of (N, D) vectors from all others, in N log N steps.

    Coordinate by coordinate: of sorted values, the k smaller ones lie k * value - their sum below.
    """
    values = np.asarray(vectors, np.float64)
    count = len(values)
    order = np.argsort(values, axis=0, kind="stable")
    ranked = np.take_along_axis(values, order, 0)
    before = np.cumsum(ranked, axis=0) - ranked
    after = ranked.sum(0) - before - ranked
    place = np.arange(count)[:, None]
    apart = np.empty_like(values)
    np.put_along_axis(apart, order, place * ranked - before + after - (count - 1 - place) * ranked, 0)
    return np.asarray(apart.sum(1))


def smallest(apart: NDArray[np.float32], wanted: int) -> NDArray[np.intp]:
    """(A, wanted) columns of the smallest values of each row, smallest first, ties by column."""
    if 0 < wanted < apart.shape[1] - 1:
        chosen = np.sort(np.argpartition(apart, wanted, axis=1)[:, :wanted], axis=1)
        largest = np.take_along_axis(apart, chosen, 1).max(1, keepdims=True)
        tied = (apart <= largest).sum(1) > wanted  # of the equal ones at the border any may have been taken
        chosen[tied] = np.sort(np.argsort(apart[tied], axis=1, kind="stable")[:, :wanted], axis=1)
    else:
        chosen = np.broadcast_to(np.arange(apart.shape[1]), apart.shape)
    values = np.take_along_axis(apart, chosen, 1)
    return np.take_along_axis(chosen, np.argsort(values, axis=1, kind="stable"), 1)[:, :wanted]
