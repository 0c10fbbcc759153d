"""Whose face the swaps of a training show, by the recogniser."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.faces.identity import Recogniser
from lookalike.faceset import list_faces, load_record
from lookalike.landmarks import box_about
from lookalike.training.preview import Judge
from lookalike.types import Face

_LOOKED_AT = 64
"""Faces of a faceset whose stored embeddings are averaged."""
_ENLARGED = 2
"""The recogniser wants larger pictures than small networks draw."""


def make_judge(src: Path, dst: Path) -> Judge | None:
    """What measures how far swaps are from each person; none where the facesets have no embeddings.

    The recogniser is loaded when it is first needed.
    """
    found = [_average(folder) for folder in (src, dst)]
    if found[0] is None or found[1] is None:
        return None
    averages: list[NDArray[np.float32]] = [found[0], found[1]]
    recognisers: list[Recogniser] = []

    def judge(swaps: NDArray[np.uint8], points: NDArray[np.float32]) -> dict[str, float]:
        if not recognisers:
            recognisers.append(Recogniser())
        side = swaps.shape[1] * _ENLARGED
        rows = []
        for picture, where in zip(swaps, points, strict=True):
            large = np.asarray(cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)
            landmarks = ((where[:68] + 1) * (side / 2) - 0.5).astype(np.float32)
            face = Face(box_about(landmarks), 1.0, landmarks, np.zeros((478, 2), np.float32))
            rows.append([np.linalg.norm(recognisers[0].embed(large, face) - average) for average in averages])
        to_src, to_dst = np.mean(rows, 0)
        return {"identity_src": float(to_src), "identity_dst": float(to_dst)}

    return judge


def _average(folder: Path) -> NDArray[np.float32] | None:
    paths = list_faces(folder)
    some = paths[:: max(1, len(paths) // _LOOKED_AT)]
    found = [identity for path in some if (identity := load_record(path).identity_array()) is not None]
    return np.mean(found, 0, dtype=np.float32) if found else None
