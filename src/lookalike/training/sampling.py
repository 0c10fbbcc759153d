"""Which faces make a batch. A face's place in the sequence decides alone, so that a resumed run draws the same."""

import functools
import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor

_BINS = 64
"""Equal parts of -1..1 that yaw is counted in; as in DeepFaceLab (2019)."""


@dataclass(frozen=True, slots=True, eq=False)
class Picks:
    """The faces of a batch."""

    index: Tensor
    """(B,) int64."""
    mirrored: Tensor
    """(B,) bool: the face looks the wrong way, and is to be mirrored."""


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """How the faces of a person are gone through: bins in turn, and within each its faces in turn.

    With a single bin every face comes once before any comes again.
    """

    bins: tuple[Tensor, ...]
    """Face numbers of each bin, none of them empty; the same bin may occur more than once."""
    mirrored: tuple[bool, ...]
    """For each bin: whether its faces are mirrored."""
    seed: str
    """What the shuffles depend on, such as the person's side and the run's seed."""


def plain_order(count: int, seed: str) -> Order:
    """All of `count` faces alike."""
    return Order((torch.arange(count),), (False,), seed)


def yaw_order(own: Tensor, wanted: Tensor, seed: str) -> Order:
    """Faces spread evenly over the directions that occur in `wanted`.

    For every direction that occurs there the faces that come nearest are taken, turned the same way or, mirrored, the
    other way; the direction itself is looked at first, then its mirror image, then their neighbours one after another.

    Args:
        own: (N,) yaw of the faces that are drawn, in -1..1.
        wanted: (M,) yaw of the faces whose directions are wanted; `own` itself for all directions alike.
        seed: what the shuffles depend on.
    """
    own_bins = [torch.nonzero(_bin(own) == number)[:, 0] for number in range(_BINS)]
    bins, mirrored = [], []
    for wish in sorted(set(_bin(wanted).tolist())):
        number = _nearest(wish, own_bins)
        bins.append(own_bins[number])
        mirrored.append((number < _BINS // 2) != (wish < _BINS // 2))
    return Order(tuple(bins), tuple(mirrored), seed)


def pick(order: Order, start: int, count: int) -> Picks:
    """The faces at places `start` to `start + count` of the sequence."""
    index, mirrored = [], []
    for place in range(start, start + count):
        turn, at = divmod(place, len(order.bins))
        number = int(_shuffle(f"{order.seed} bins {turn}", len(order.bins))[at])
        faces = order.bins[number]
        again, at = divmod(turn, len(faces))
        index.append(int(faces[_shuffle(f"{order.seed} {number} {again}", len(faces))[at]]))
        mirrored.append(order.mirrored[number])
    return Picks(torch.tensor(index), torch.tensor(mirrored))


def _bin(yaw: Tensor) -> Tensor:
    return ((yaw + 1) * (_BINS / 2)).long().clamp(0, _BINS - 1)


def _nearest(wish: int, bins: list[Tensor]) -> int:
    for away in range(_BINS):
        for number in (wish - away, _BINS - 1 - wish - away, wish + away, _BINS - 1 - wish + away):
            if 0 <= number < _BINS and len(bins[number]):
                return number
    raise ValueError("no faces to draw from")


@functools.lru_cache(maxsize=512)
def _shuffle(seed: str, count: int) -> Tensor:
    """(count,) a permutation that depends on nothing but its arguments."""
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:7])
    return torch.randperm(count, generator=torch.Generator().manual_seed(number))
