"""Many faces in one picture."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray


def contact_sheet(faces: Sequence[NDArray[np.uint8]], columns: int = 10, side: int = 96) -> NDArray[np.uint8]:
    """All faces in rows, from the left and the top, on black.

    Args:
        faces: (H, W, 3) uint8 RGB each, of any size; they are made square.
        columns: faces in a row.
        side: of a face in the sheet, in pixels.

    Returns:
        (rows * side, W, 3) uint8 RGB, as wide as the longest row; (0, 0, 3) without faces.
    """
    rows = -(-len(faces) // columns)
    sheet = np.zeros((rows * side, min(len(faces), columns) * side, 3), np.uint8)
    for place, face in enumerate(faces):
        y, x = place // columns * side, place % columns * side
        how = cv2.INTER_AREA if min(face.shape[:2]) >= side else cv2.INTER_CUBIC
        sheet[y : y + side, x : x + side] = cv2.resize(face, (side, side), interpolation=how)
    return sheet
