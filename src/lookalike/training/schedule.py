"""How much of a run is done, and the step size that follows from it."""

import math

from lookalike.models.checkpoint import TrainState
from lookalike.training.config import TrainConfig

_FINAL_RATE = 0.05
"""What is left of the rate at the end of a cosine."""
_CALMER = 0.7
"""Factor of the rate for each time that the model was put back."""


def progress_of(state: TrainState, options: TrainConfig) -> float:
    """Share of the run that is done, by the limit that is nearer; 0 without a limit."""
    by_step = state.step / options.iterations if options.iterations else 0.0
    by_time = state.seconds / (60 * options.minutes) if options.minutes else 0.0
    return max(by_step, by_time)


def rate_of(state: TrainState, progress: float, options: TrainConfig) -> float:
    """Warm-up, then as it is, or along a cosine toward the limit if there is one."""
    warm = min(1.0, (state.step + 1) / (options.warmup + 1))
    falls = options.schedule == "cosine" and bool(options.iterations or options.minutes)
    fall = _FINAL_RATE + (1 - _FINAL_RATE) * (1 + math.cos(math.pi * min(1.0, progress))) / 2 if falls else 1.0
    return options.learning_rate * warm * fall * _CALMER**state.rollbacks
