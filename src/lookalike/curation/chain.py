"""A chain of faces in which each is followed by the most similar one left."""

import numpy as np
from numpy.typing import NDArray

from lookalike.curation.distances import Distance, blocks, smallest

_NEIGHBOURS = 64
"""Nearest items remembered of each."""


def greedy_chain(distance: Distance, first: int = 0, neighbours: int = _NEIGHBOURS) -> NDArray[np.intp]:
    """(N,) items so that each is followed by the nearest of those left; ties go to the lower number.

    The same chain as DeepFaceLab's, which measured every pair anew at each step, in one core's plain loop, and began
    again with every chunk of 20,000. Here the distances of all pairs are taken once, in blocks (for histograms a matrix
    product), and of each item only its nearest `neighbours` are remembered. The nearest one left is among those unless
    all of them are used; only then the items left are measured again. The result does not depend on `neighbours`.

    Args:
        distance: of N items.
        first: item that begins.
        neighbours: how many to remember; more cost memory (12 bytes each), fewer cost measuring again.
    """
    count = len(distance)
    if count < 2:
        return np.arange(count)
    near = _nearest(distance, min(neighbours, count - 1))
    free = np.ones(count, bool)
    left = np.arange(count)
    chain = np.empty(count, np.intp)
    here = first
    for place in range(count):
        chain[place] = here
        free[here] = False
        if place == count - 1:
            break
        candidates = near[here][free[near[here]]]
        if candidates.size:
            here = int(candidates[0])
            continue
        left = left[free[left]]
        here = int(left[np.argmin(distance.between(np.array([here]), left)[0])])
    return chain


def _nearest(distance: Distance, neighbours: int) -> NDArray[np.intp]:
    """(N, neighbours) the items nearest to each, nearest first, ties by number."""
    count = len(distance)
    near = np.empty((count, neighbours), np.int32)
    for rows in blocks(count):
        apart = distance.between(rows, slice(0, count))
        apart[np.arange(len(apart)), np.arange(rows.start, rows.stop)] = np.inf
        near[rows] = smallest(apart, neighbours)
    return near.astype(np.intp)


def length(distance: Distance, chain: NDArray[np.intp]) -> float:
    """Sum of the distances between neighbours of a chain."""
    steps = [distance.between(chain[k : k + 1], chain[k + 1 : k + 2])[0, 0] for k in range(len(chain) - 1)]
    return float(np.sum(steps, dtype=np.float64))
