"""Places in a video as a user writes them. Imports no numpy."""

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from lookalike.errors import ConfigError

_FRAME: Final = re.compile(r"(\d+)f")
_CLOCK: Final = re.compile(r"(?:(?:(\d+):)?([0-5]?\d):)?(\d+(?:\.\d*)?|\.\d+)")


@dataclass(frozen=True, slots=True)
class TimePoint:
    """A moment, or a frame."""

    seconds: Fraction = Fraction(0)
    """Since the time that a player shows as 0:00."""
    frame: int | None = None
    """Number of a frame, from 1 as images are named; then `seconds` means nothing."""


def parse_point(text: str) -> TimePoint:
    """Read `1:02:03.250`, `2:03.5`, `123.5` or `120f`.

    Raises:
        ConfigError: none of these.
    """
    text = text.strip()
    frame = _FRAME.fullmatch(text)
    if frame and int(frame[1]) > 0:
        return TimePoint(frame=int(frame[1]))
    clock = _CLOCK.fullmatch(text)
    if clock is None or (clock[2] and Fraction(clock[3]) >= 60):
        raise ConfigError(f"{text!r} is no time; write 1:02:03.250, 2:03.5, 123.5 (seconds) or 120f (frame, from 1)")
    return TimePoint(int(clock[1] or 0) * 3600 + int(clock[2] or 0) * 60 + Fraction(clock[3]))
