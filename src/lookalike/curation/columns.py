"""What a table of faces shows of each: numbers out of its record alone."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lookalike.curation.facts import degrees
from lookalike.curation.features import pose, side
from lookalike.faceset import FaceRecord
from lookalike.faceset.index import Feature

FRAME_PART: Final = 1 << 16
"""Frame numbers are kept in two parts, as float32 holds none beyond 2**24."""

COLUMN_NAMES: Final = (
    "frame_high",
    "frame_low",
    "number",
    "seconds",
    "yaw",
    "pitch",
    "roll",
    "sharpness",
    "score",
    "side",
    "size",
    "outside",
    "person",
    "track",
    "edited",
    "recovered",
    "polygons",
    "mask",
)
"""yaw (toward the picture's right), pitch (up) and roll (clockwise) in degrees, side in frame pixels, size in pixels of
the crop; person is -1 where people were not told apart."""


def columns(crop: NDArray[np.uint8], record: FaceRecord) -> NDArray[np.float32]:
    """(18,) float32, named by COLUMN_NAMES."""
    pitch_degrees, yaw_degrees = degrees(record)
    values = (
        record.frame // FRAME_PART,
        record.frame % FRAME_PART,
        record.number,
        record.time_seconds,
        yaw_degrees,
        pitch_degrees,
        pose(crop, record)[2],
        record.sharpness,
        record.score,
        side(crop, record)[0],
        record.size,
        record.outside,
        -1 if record.person is None else record.person,
        record.track,
        record.edited,
        record.recovered,
        len(record.polygons),
        record.mask is not None,
    )
    return np.array(values, np.float32)


COLUMNS: Final = Feature("columns/1", columns, pixels=False)
