"""Where dst looks and src does not, for a map of both."""

from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lookalike.curation.columns import COLUMN_NAMES
from lookalike.curation.coverage import NEAR_DEGREES, PITCH_EDGES, YAW_EDGES, compare, direction_name, distances
from lookalike.pipeline.gallery_shelf import Seen

CELL_DEGREES: Final = 5
_EDGES: Final = np.arange(-90, 91, CELL_DEGREES)
_WANTED: Final = tuple(COLUMN_NAMES.index(name) for name in ("yaw", "pitch", "frame_high", "frame_low"))


def coverage(src: Seen, dst: Seen) -> dict[str, Any]:
    """Counts of both sides in cells of 5 degrees, row by row from down, columns from left, and the holes in words.

    A hole has the ends of its range of yaw and pitch. `alone` counts dst faces without a src face within 10 degrees.
    """
    ours, theirs = _table(src), _table(dst)
    found: dict[str, Any] = {"cell": CELL_DEGREES, "src": _counts(ours), "dst": _counts(theirs)}
    found |= {"alone": _counts(theirs[:0]), "covered": None, "covered_mirrored": None, "holes": []}
    if not len(ours) or not len(theirs):
        return found
    views, asked = ours[:, :2].astype(np.float64), theirs[:, :2].astype(np.float64)
    compared = compare(views, asked, [tuple(frame) for frame in theirs[:, 2:].tolist()])
    ranges = _ranges()
    holes = [{"direction": hole.direction, "text": hole.text, **ranges[hole.direction]} for hole in compared.holes]
    alone = theirs[distances(views, asked) > NEAR_DEGREES]
    return found | {
        "alone": _counts(alone),
        "covered": compared.covered,
        "covered_mirrored": compared.covered_mirrored,
        "holes": holes,
    }


def _ranges() -> dict[str, dict[str, tuple[float, float]]]:
    """Ends of yaw and pitch of every direction, by its name."""
    found = {}
    for yaw in pairwise(YAW_EDGES):
        for pitch in pairwise(PITCH_EDGES):
            found[direction_name(sum(yaw) / 2, sum(pitch) / 2)] = {"yaw": yaw, "pitch": pitch}
    return found


def _table(seen: Seen) -> NDArray[np.float32]:
    """(N, 4) yaw, pitch and both parts of the frame of the faces that are known."""
    rows = [row.feature for name in seen.names if (row := seen.rows.get(name)) is not None and row.feature]
    table = np.frombuffer(b"".join(rows), np.float32).reshape(-1, len(COLUMN_NAMES))
    return table[:, _WANTED]


def _counts(table: NDArray[np.float32]) -> list[list[int]]:
    counted, _, _ = np.histogram2d(table[:, 1], table[:, 0], bins=(_EDGES, _EDGES))
    found: list[list[int]] = counted.astype(int).tolist()
    return found
