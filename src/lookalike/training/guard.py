"""Noticing that a model has collapsed."""

import math
from collections import deque
from collections.abc import Mapping, Sequence
from statistics import median

_HISTORY = 300
"""Iterations that a jump is measured against."""
_ENOUGH = 100
"""Good iterations to have been seen before a jump, or blank drawings, are believed: a fresh model has odd ones."""
_WINDOW = 10
"""Iterations that must be bad together."""
_JUMP = 3.0
"""How many times the usual loss is a jump."""
_DEAD, _ALIVE = 0.05, 0.2
"""Contrast of the drawings, as a share of their targets': below the one they are dead, above the other alive."""


class Guard:
    """Watches the losses of a run; a new one knows nothing of what was before."""

    def __init__(self) -> None:
        self._losses: deque[float] = deque(maxlen=_HISTORY)
        self._recent: deque[tuple[float, float]] = deque(maxlen=_WINDOW)
        self._alive = 0

    def look(self, rows: Sequence[Mapping[str, float]]) -> str | None:
        """What is wrong, in a few words, after the given iterations; none if all is well.

        Args:
            rows: losses by name of the iterations since the last look, with "contrast" of the drawings.
        """
        for row in rows:
            if not all(math.isfinite(value) for value in row.values()):
                return "a loss is not a number"
            loss, contrast = row["loss_src"] + row["loss_dst"], row["contrast"]
            self._recent.append((loss, contrast))
            full = len(self._recent) == _WINDOW
            if full and len(self._losses) >= _ENOUGH:
                usual = median(self._losses)
                if min(loss for loss, _ in self._recent) > _JUMP * usual:
                    return f"the loss jumped from {usual:.2f} to {loss:.2f}"
            if full and self._alive >= _ENOUGH and max(contrast for _, contrast in self._recent) < _DEAD:
                return "the drawings have gone blank"
            self._alive += contrast > _ALIVE
            self._losses.append(loss)
        return None
