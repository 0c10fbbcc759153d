"""Faces whose masks are known, as a mask network learns from them, and how well one agrees with them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lookalike.faceset import FaceRecord
from lookalike.faceset.masks import known_mask
from lookalike.faceset.polygons import Mask
from lookalike.geometry import align_matrix, between, transform
from lookalike.masks.labelled import LabelledFace
from lookalike.models.xseg import SIDE


def labelled(image: NDArray[np.uint8], record: FaceRecord) -> LabelledFace | None:
    """A face of a faceset with what its polygons, or its mask and its polygons, say; None if they say nothing."""
    mask = known_mask(record, len(image))
    return None if mask is None else labelled_by(image, record, mask)


def labelled_by(image: NDArray[np.uint8], record: FaceRecord, mask: Mask) -> LabelledFace:
    """A face with an (S, S) mask over its (S, S, 3) image."""
    there = align_matrix(record.landmarks_array(), SIDE, "whole")
    label = np.round(np.clip(mask, 0, 1) * 255).astype(np.uint8)
    landmarks = transform(there, record.landmarks_array())
    return LabelledFace(image, label, landmarks, between(there, record.matrix_array()))


def overlap(one: Mask, other: Mask, where: Mask | None = None) -> float:
    """Intersection over union of two masks, cut at a half; only inside of a third one if it is given."""
    a, b = one > 0.5, other > 0.5
    if where is not None:
        a, b = a & (where > 0.5), b & (where > 0.5)
    union = int((a | b).sum())
    return float((a & b).sum() / union) if union else 1.0


def spread(count: int, most: int) -> list[int]:
    """At most `most` of `count` numbers, evenly spread."""
    chosen: Sequence[int] = np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int)).tolist()
    return list(chosen) if count else []
