"""Orders of faces by one number each, or by how they differ from all others. Pure; the first of the result is first."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Order = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Sorted:
    """What a method makes of N faces, which it knows by number in natural order of their names."""

    order: Order
    """Numbers of the faces kept, the first first."""
    rejects: dict[int, str] = field(default_factory=dict)
    """Why each of the other faces is taken out."""

    def first(self, target: int, reason: str) -> "Sorted":
        """Only the first `target` of the order; the others taken out for `reason`."""
        beyond = {int(face): reason for face in self.order[target:]}
        return Sorted(self.order[:target], {**self.rejects, **beyond})


def ascending(values: NDArray[np.floating]) -> Order:
    """Numbers of (N,) values, the smallest first, ties by number, not-a-number last."""
    return np.argsort(values, kind="stable")


def descending(values: NDArray[np.floating] | NDArray[np.integer]) -> Order:
    """Numbers of (N,) values, the largest first, ties by number, not-a-number last."""
    return np.argsort(-np.asarray(values, np.float64), kind="stable")


def around(vectors: NDArray[np.floating]) -> Order:
    """Numbers by the angle of (N, 2) vectors, falling, cut where no vector points for the widest stretch.

    On a circle an order needs a beginning. One at a fixed angle would tear apart faces on both sides of it, and of hues
    0 is that of skin. Vectors of no length (gray pictures) come last.
    """
    x, y = np.asarray(vectors, np.float64).T
    colored = np.hypot(x, y) > 1e-6
    faces = np.flatnonzero(colored)
    if not faces.size:
        return np.arange(len(vectors))
    angle = np.arctan2(y, x)[faces] % (2 * np.pi)
    rising = np.sort(angle)
    gaps = np.diff(rising, append=rising[0] + 2 * np.pi)
    cut = rising[int(np.argmax(gaps))]  # the largest angle before the gap begins the falling order
    turned = faces[ascending((cut - angle) % (2 * np.pi))]
    return np.concatenate([turned, np.flatnonzero(~colored)])


def nearest_to_median(embeddings: NDArray[np.floating]) -> Order:
    """Numbers by the distance of (N, D) embeddings from their median, the nearest first; not-a-number rows last."""
    if np.isnan(embeddings).any(1).all():
        return np.arange(len(embeddings))
    middle = np.nanmedian(np.asarray(embeddings, np.float64), axis=0)
    return ascending(np.linalg.norm(embeddings - middle, axis=1))


def only_faces(frames: list[tuple[str, int]]) -> Sorted:
    """Keeps the faces that no other of the faceset shares its frame with.

    Args:
        frames: (N,) source and frame number of each face, by its record.
    """
    count: dict[tuple[str, int], int] = {}
    for frame in frames:
        count[frame] = count.get(frame, 0) + 1
    kept = [face for face, frame in enumerate(frames) if count[frame] == 1]
    rejects = {
        face: f"one of {count[frame]} faces of its frame" for face, frame in enumerate(frames) if count[frame] > 1
    }
    return Sorted(np.array(kept, np.intp), rejects)
