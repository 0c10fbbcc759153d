"""A face of which it is known what of it is seen."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class LabelledFace:
    """What examples are made of."""

    picture: NDArray[np.uint8]
    """(H, W, 3) RGB, aligned, with or without room around the crop."""
    label: NDArray[np.uint8]
    """(H, W), 255 where the face is seen."""
    landmarks: NDArray[np.float64]
    """(68, 2) in pixels of the crop."""
    matrix: NDArray[np.float64]
    """(2, 3) from pixels of the crop that the network sees, at the side of the examples, to pixels of the picture."""
