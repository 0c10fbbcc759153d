"""Two public-domain portraits that ship inside our dependencies, framed alike."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 448
"""Width and height of a portrait, in pixels; the face takes 46 % of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """A still of one person, with what the mesh cannot tell about moving it."""

    name: str
    image: NDArray[np.uint8]
    """(H, W, 3) RGB; even sides."""
    teeth: bool = False
    """The upper teeth show in the still, so they need not be drawn."""
    lid_edge: float = 0.0
    """Where the dark edge of the upper lid ends, as a share of the eye opening from the mesh's upper line down."""
    lid_room: float = 0.1
    """Height, above that edge, of the lid that may be stretched over the eye; in outer-eye distances, as below."""
    lash: float = 0.02
    """Height of the dark edge."""
    lid_from_below: bool = False
    """The lid's skin is hidden (by glasses): close the eye with skin mirrored from under it."""
    brow_floor: float = -0.04
    """Height down from the eyes' line below which a raised brow moves nothing; negative is above."""

    def __post_init__(self) -> None:
        shape = self.image.shape
        if len(shape) != 3 or shape[2] != 3 or shape[0] % 2 or shape[1] % 2 or self.image.dtype != np.uint8:
            raise ValueError(f"image must be (H, W, 3) uint8 with even sides, got {shape} {self.image.dtype}")


def load_portraits() -> tuple[Portrait, Portrait]:
    """Grace Hopper (US Navy; from Matplotlib) and Eileen Collins (NASA; from scikit-image), src and dst.

    This way round nothing of a pair of glasses is left beside the new face.
    """
    # Imported here: together they cost half a second that only the demo needs to pay.
    import matplotlib.cbook
    import skimage.data

    astronaut = skimage.data.astronaut()  # type: ignore[no-untyped-call]  # scikit-image has no annotation here
    collins = _framed(np.asarray(astronaut), left_top=(109, 1), side=236)
    path = Path(str(matplotlib.cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))
    bgr = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if bgr is None:
        raise FileNotFoundError(f"{path} cannot be decoded; reinstall matplotlib")
    hopper = _framed(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), left_top=(42, 8), side=448)
    return (
        Portrait("hopper", hopper, lid_edge=-0.05, lid_from_below=True, brow_floor=-0.17),
        Portrait("collins", collins, teeth=True, lid_edge=0.2, lid_room=0.11, lash=0.042),
    )


def _framed(image: NDArray[np.generic], left_top: tuple[int, int], side: int) -> NDArray[np.uint8]:
    """Cut a square and bring it to SIDE; an enlarged one is sharpened a little."""
    x, y = left_top
    square = np.ascontiguousarray(image[y : y + side, x : x + side])
    if side == SIDE:
        return np.asarray(square, np.uint8)
    large = cv2.resize(square, (SIDE, SIDE), interpolation=cv2.INTER_LANCZOS4)
    return np.asarray(cv2.addWeighted(large, 1.6, cv2.GaussianBlur(large, (0, 0), 1.6), -0.6, 0), np.uint8)
