"""Which faces of a track do not lie where the faces before and after them say. Pure."""

from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from lookalike.curation.facts import Facts

_MOST_APART = 3
"""Frames between two faces that are still compared: at most two are missing between them."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """One thing that is odd about a face."""

    kind: str
    """jump, size jump, turn, scale, box, hull, mirrored, shape, pose, outside, low score, recovered or no face."""
    severity: float
    """0 nothing, 1 the face is surely wrong."""
    text: str
    """In words, with the measure."""


@dataclass(frozen=True, slots=True)
class Signal:
    """Something that changes smoothly in time, and when it does not."""

    kind: str
    noise: float
    """A residual that every landmarker has, added to the track's own spread."""
    fine: float
    """Residual that is never odd, however quiet the track."""
    bad: float
    """Residual that is surely odd in a quiet track."""
    spreads: float
    """Robust spreads of the track that a residual must lie above its median."""
    text: str


_EYES = 0.33
"""Eye distance of the mean face over the side of its full-face square."""

_JUMP = Signal("jump", 0.01, 0.06, 0.20, 6, "landmarks jump by {:.2f} eye distances")
_SIZE = Signal("size jump", 0.005, 0.08, 0.25, 6, "size jumps by a factor of {:.2f}")
_TURN = Signal("turn", 1.5, 15, 35, 6, "the head turns by {:.0f} degrees and back")


def time_oddities(faces: Sequence[Facts], leave_out: Set[int] = frozenset()) -> Iterator[tuple[int, Oddity]]:
    """Place in `faces` and oddity of every face that leaves its track's way and comes back.

    Each face is compared with the straight line between its neighbours in time. The one that is farthest off is taken
    out before its neighbours are judged, so that a single wrong face does not make suspects of the two beside it.
    Places in `leave_out`, wrong by themselves, are neither judged nor compared with.
    """
    for places in _tracks(faces, leave_out).values():
        frames = np.array([faces[p].frame for p in places])
        points = np.stack([faces[p].landmarks for p in places]).astype(np.float64).reshape(len(places), -1)
        sizes = np.log([[faces[p].side] for p in places])
        poses = np.array([(faces[p].pitch_degrees, faces[p].yaw_degrees) for p in places])
        eyes = np.exp(_running_median(sizes[:, 0])) * _EYES
        for signal, values, unit in ((_JUMP, points, eyes), (_SIZE, sizes, None), (_TURN, poses, None)):
            for index, residual, severity in leaps(frames, values, unit, signal):
                shown = np.exp(residual) if signal is _SIZE else residual
                yield places[index], Oddity(signal.kind, severity, signal.text.format(shown))


def leaps(
    frames: NDArray[np.int64], values: NDArray[np.float64], unit: NDArray[np.float64] | None, signal: Signal
) -> list[tuple[int, float, float]]:
    """Index, residual and severity of each value that leaves its track.

    Args:
        frames: (N,) rising.
        values: (N, D); a residual is the root mean square over pairs for points (even D above 2), else the length.
        unit: (N,) what a residual is divided by.
    """
    count = len(frames)
    scale = np.ones(count) if unit is None else unit
    kept = list(range(count))
    residuals = np.array([_residual(frames, values, kept, place) / scale[place] for place in range(count)])
    known = residuals[np.isfinite(residuals)]
    if known.size < 3:
        return []
    middle = float(np.median(known))
    spread = 1.4826 * float(np.median(np.abs(known - middle))) + signal.noise
    limit = max(signal.fine, middle + signal.spreads * spread)
    left = np.where(np.isfinite(residuals), residuals, -1.0)
    found = []
    while len(kept) > 2:
        worst = max(range(len(kept)), key=lambda k: left[kept[k]])
        if left[kept[worst]] <= limit:
            break
        worst, residual = _culprit(frames, values, kept, worst, left, limit, scale)
        found.append((kept[worst], residual, _severity(residual, limit, signal)))
        del kept[worst]
        for near in range(max(0, worst - 3), min(len(kept), worst + 3)):
            again = _residual(frames, values, kept, near) / scale[kept[near]]
            left[kept[near]] = again if np.isfinite(again) else -1.0
    return found


def _culprit(
    frames: NDArray[np.int64],
    values: NDArray[np.float64],
    kept: Sequence[int],
    worst: int,
    left: NDArray[np.float64],
    limit: float,
    scale: NDArray[np.float64],
) -> tuple[int, float]:
    """Place in `kept` and residual of the wrong one of neighbours that are all off.

    Of two wrong faces in a row each agrees with the other as well as with the sound one beside it; who is wrong shows
    when three to each side have a say.
    """
    around = [k for k in (worst, worst - 1, worst + 1) if 0 <= k < len(kept) and left[kept[k]] > limit]
    wide = {k: _wide_residual(frames, values, kept, k) / scale[kept[k]] for k in around}
    chosen = max(around, key=lambda k: max(wide[k], 0.0) if np.isfinite(wide[k]) else left[kept[k]])
    narrow = float(left[kept[chosen]])
    return chosen, max(narrow, min(wide[chosen], 2 * narrow)) if np.isfinite(wide[chosen]) else narrow


def _wide_residual(frames: NDArray[np.int64], values: NDArray[np.float64], kept: Sequence[int], at: int) -> float:
    """As `_residual`, from the median of the lines through any of three before and any of three after."""
    sides = []
    for step in (-1, 1):
        side, last = [], kept[at]
        for k in range(at + step, at + 4 * step, step):
            if not 0 <= k < len(kept) or not _near(frames, last, kept[k]):
                break
            side.append(kept[k])
            last = kept[k]
        sides.append(side)
    here = kept[at]
    lines = [_line(frames, values, a, b, frames[here]) for a in sides[0] for b in sides[1]]
    return _length(values[here] - np.median(lines, axis=0)) if lines else float("inf")


def _severity(residual: float, limit: float, signal: Signal) -> float:
    """0.3 at the limit, 0.95 at what is surely odd."""
    bad = signal.bad * limit / signal.fine
    return round(0.3 + 0.65 * min(1.0, (residual - limit) / (bad - limit)), 4)


def _residual(frames: NDArray[np.int64], values: NDArray[np.float64], kept: Sequence[int], at: int) -> float:
    """How far the value at a place of `kept` lies from where its neighbours say; infinite without neighbours.

    Inside a track that is the straight line between the two beside it. At an end it is the least of what three pairs
    of the next ones point at, so that one wrong neighbour does not accuse the end.
    """
    here = kept[at]
    if 0 < at < len(kept) - 1:
        before, after = kept[at - 1], kept[at + 1]
        if _near(frames, before, here) and _near(frames, here, after):
            return _length(values[here] - _line(frames, values, before, after, frames[here]))
    step = 1 if at == 0 or not _near(frames, kept[at - 1], here) else -1
    others = [kept[k] for k in range(at + step, at + 4 * step, step) if 0 <= k < len(kept)]
    chain = [here, *others]
    if len(chain) < 4 or not all(_near(frames, a, b) for a, b in pairwise(chain)):
        return float("inf")
    first, second, third = others
    pairs = ((first, second), (first, third), (second, third))
    return min(_length(values[here] - _line(frames, values, a, b, frames[here])) for a, b in pairs)


def _near(frames: NDArray[np.int64], a: int, b: int) -> bool:
    return 0 < abs(int(frames[b]) - int(frames[a])) <= _MOST_APART


def _line(frames: NDArray[np.int64], values: NDArray[np.float64], a: int, b: int, when: int) -> NDArray[np.float64]:
    share = (when - frames[a]) / (frames[b] - frames[a])
    return np.asarray(values[a] + (values[b] - values[a]) * share)


def _length(difference: NDArray[np.float64]) -> float:
    """Root mean square over points of (2 N,) differences; of one or two numbers the length."""
    return float(np.sqrt((difference**2).sum() / max(1, len(difference) // 2)))


def _tracks(faces: Sequence[Facts], leave_out: Set[int]) -> dict[tuple[str, int], list[int]]:
    """Places of the faces of each track in time order; of two in one frame the first counts."""
    tracks: dict[tuple[str, int], list[int]] = {}
    order = sorted(range(len(faces)), key=lambda p: (faces[p].source, faces[p].track, faces[p].frame, faces[p].number))
    for place in order:
        if place in leave_out:
            continue
        face = faces[place]
        same = tracks.setdefault((face.source, face.track), [])
        if face.side > 0 and not (same and faces[same[-1]].frame == face.frame):
            same.append(place)
    return {key: places for key, places in tracks.items() if len(places) > 2}


def _running_median(values: NDArray[np.float64], reach: int = 3) -> NDArray[np.float64]:
    """(N,) median of each value and `reach` to either side."""
    padded = np.pad(values, reach, mode="reflect") if len(values) > reach else np.pad(values, reach, mode="edge")
    return np.asarray(np.median(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), axis=1))
