"""Choosing faces out of many: a balanced best set, those that cover dst, one of each group of near-identical ones."""

import numpy as np
from numpy.typing import NDArray

from lookalike.curation.distances import Bhattacharyya, Euclidean, blocks, smallest, sums
from lookalike.curation.order import Order, Sorted, ascending, descending

YAW_BINS = 128
_SHARPEST = 10
"""Of each bin, so many times its quota of faces are looked at, the sharpest first."""
_ROUNDS = 16
"""How many src faces each dst face may ask for."""


def best(
    yaw: NDArray[np.floating], sharpness: NDArray[np.floating] | None, roots: NDArray[np.float32], target: int
) -> Sorted:
    """Exactly `target` faces (all, if there are fewer), evenly over yaw, sharp, then as different as can be.

    Per bin of yaw: of its sharpest faces, ten times as many as wanted, those whose histograms differ most from one
    another. What narrow bins cannot give is asked of the others, one face at a time.

    Args:
        yaw: (N,) -1..1.
        sharpness: (N,), or none to leave it out.
        roots: (N, 256) square roots of gray histograms.
        target: how many to keep.

    Source: the method `final` of DeepFaceLab (2019), which divided the shortfall once over all bins, empty ones too,
    and so kept fewer than asked for.
    """
    bins = np.digitize(-np.asarray(yaw, np.float64), np.linspace(-1, 1, YAW_BINS)[1:])
    members = [np.flatnonzero(bins == number) for number in range(YAW_BINS)]
    quotas = _quotas(np.array([len(faces) for faces in members]), target)
    kept: list[int] = []
    rejects: dict[int, str] = {}
    for faces, quota in zip(members, quotas, strict=True):
        if sharpness is not None:
            faces = faces[descending(sharpness[faces])]
            rejects |= {int(face): "less sharp than others of its yaw" for face in faces[_SHARPEST * quota :]}
            faces = faces[: _SHARPEST * quota]
        if not faces.size:
            continue
        faces = faces[descending(sums(Bhattacharyya(roots[faces], 1)))]
        kept += faces[:quota].tolist()
        rejects |= {int(face): "much like others of its yaw" for face in faces[quota:]}
    return Sorted(np.array(kept, np.intp), rejects)


def _quotas(supply: NDArray[np.intp], target: int) -> NDArray[np.intp]:
    """How many to take of each bin: as even as the supply allows, in all min(target, supply)."""
    quota = np.zeros_like(supply)
    missing = min(target, int(supply.sum()))
    while missing:
        open_bins = np.flatnonzero(quota < supply)
        share = missing // len(open_bins)
        if not share:  # fewer than one each: to bins at even distances, so that no side goes short
            places = (np.arange(missing) + 0.5) * len(open_bins) / missing
            quota[open_bins[places.astype(int)]] += 1
            break
        given = np.minimum(supply[open_bins] - quota[open_bins], share)
        quota[open_bins] += given
        missing -= int(given.sum())
    return quota


def traits(
    src_pose: NDArray[np.floating],
    src_expression: NDArray[np.floating],
    dst_pose: NDArray[np.floating],
    dst_expression: NDArray[np.floating],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pitch, yaw and expression of src and dst as vectors in which pose and expression weigh the same.

    Each group is divided by its spread over both facesets together. Roll does not count: alignment takes it out.

    Args:
        src_pose, dst_pose: (N, 3) and (M, 3), pitch, yaw, roll.
        src_expression, dst_expression: (N, 52) and (M, 52).

    Returns:
        (N, 54) and (M, 54).
    """
    src, dst = [], []
    for ours, theirs in ((src_pose[:, :2], dst_pose[:, :2]), (src_expression, dst_expression)):
        both = np.concatenate([ours, theirs]).astype(np.float64)
        spread = max(float(np.sqrt(both.var(0).sum())), 1e-6)
        src.append(ours / spread)
        dst.append(theirs / spread)
    return np.hstack(src), np.hstack(dst)


def cover(src: NDArray[np.floating], dst: NDArray[np.floating], rounds: int = _ROUNDS) -> Order:
    """All src faces, those that cover dst best first, so that the first K are a good choice for any K.

    In each round every dst face asks for the src face that is next nearest to it. A src face ranks by the first round
    in which it is asked for, then by how many dst faces ask for it in that round, then by its nearness to dst. Faces
    that nobody asks for come last, the nearest first.

    Args:
        src, dst: (N, D) and (M, D) vectors, see `traits`; M at least 1.
        rounds: how many src faces a dst face asks for.
    """
    distance = Euclidean(np.concatenate([src, dst]))
    count, rounds = len(src), min(rounds, len(src))
    first = np.full(count, rounds)
    asked = np.zeros((rounds, count), np.intp)
    nearest = np.full(count, np.inf)
    for rows in blocks(len(dst)):
        apart = distance.between(slice(count + rows.start, count + rows.stop), slice(0, count))
        nearest = np.minimum(nearest, apart.min(0))
        wanted = smallest(apart, rounds)
        for number in range(rounds):
            np.add.at(asked[number], wanted[:, number], 1)
    for number in reversed(range(rounds)):
        first[asked[number] > 0] = number
    votes = np.append(asked, np.zeros((1, count), np.intp), axis=0)[first, np.arange(count)]
    return np.lexsort((np.arange(count), nearest, -votes, first))


def without_duplicates(
    names: list[str],
    sharpness: NDArray[np.floating],
    signatures: NDArray[np.floating],
    points: NDArray[np.floating],
    threshold: float,
) -> Sorted:
    """Keeps the sharpest face of each group of near-identical ones, in the order of the names.

    Two faces are near-identical when their 16x16 pictures differ by less than `threshold` gray levels (root mean
    square over the face) and their landmarks by less than `threshold` thousandths of the side, so neither another
    light nor another expression makes a duplicate. Each face is compared with those kept, the sharpest first; hence no
    chain of small differences joins unlike faces.

    Args:
        names: (N,) file names, for the reasons.
        sharpness: (N,).
        signatures: (N, 256) gray levels of cells, 0 outside the face.
        points: (N, 136) landmarks in sides of the square.
        threshold: see above.
    """
    order = descending(sharpness)
    inside = max(1.0, float((signatures > 0).sum(1).mean()))
    looks = Euclidean(signatures[order] / np.sqrt(inside))
    shapes = Euclidean(points[order] * (1000 / np.sqrt(68)))
    kept = np.zeros(len(order), bool)
    rejects: dict[int, str] = {}
    for rows in blocks(len(order)):
        sharper = slice(0, rows.stop)
        apart = np.maximum(looks.between(rows, sharper), shapes.between(rows, sharper))
        for place, row in enumerate(apart, rows.start):
            twins = np.flatnonzero(kept[:place] & (row[:place] < threshold))
            kept[place] = not twins.size
            if twins.size:
                twin = order[twins[np.argmin(row[twins])]]
                rejects[int(order[place])] = f"duplicate of {names[twin]}"
    return Sorted(np.sort(order[kept]), rejects)


def neutral_first(expressions: NDArray[np.floating]) -> int:
    """Number of the (N, 52) expression that is nearest to none."""
    return int(ascending(np.linalg.norm(expressions, axis=1))[0])
