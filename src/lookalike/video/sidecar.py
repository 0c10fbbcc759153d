"""`frames.json`: the times of the images beside it, which have none of their own."""

import json
import re
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, ValidationError, field_validator

from lookalike.errors import VideoOpenError
from lookalike.files import write_json
from lookalike.options import Options, first_problem, format_of
from lookalike.untrusted import read_text

FORMAT: Final = 1
NAME: Final = "frames.json"
_FRACTION: Final = re.compile(r"\d{1,10}(/\d{1,10})?", re.ASCII)  # FFmpeg has 32 bits for each
_MOST_TICKS: Final = 1 << 62


class FrameTimes(Options):
    """Where a folder of images comes from, and when each is shown."""

    format: int = FORMAT
    source: str
    """Name of the video."""
    key: str
    """Stands for the video and the options, so that a later run knows its own images."""
    rate: str
    """Frames a second of the video, as a fraction."""
    time_base: str
    """Seconds per tick, as a fraction."""
    pts: dict[str, Annotated[int, Field(ge=-_MOST_TICKS, le=_MOST_TICKS)]] = Field(default_factory=dict)
    """Ticks by file name; empty where the video has no times, so that images follow each other evenly."""

    @field_validator("rate", "time_base")
    @classmethod
    def _is_fraction(cls, text: str) -> str:
        if not _FRACTION.fullmatch(text) or Fraction(text) <= 0:
            raise ValueError(f"must be a fraction above 0, such as 30000/1001, got {text[:30]}")
        return text


def load_times(folder: Path) -> FrameTimes | None:
    """What `frames.json` in a folder says; None without one.

    Raises:
        VideoOpenError: it is damaged, or of a newer version.
    """
    path = folder / NAME
    if not path.is_file():
        return None
    try:
        value = json.loads(read_text(path))
        if format_of(value) > FORMAT:
            raise VideoOpenError(f"{path} has format {format_of(value)}; update Lookalike, or delete it to do without")
        return FrameTimes.model_validate(value)
    except (ValueError, ZeroDivisionError, RecursionError) as exc:
        reason = first_problem(exc) if isinstance(exc, ValidationError) else exc
        raise VideoOpenError(f"{path} cannot be read ({reason}); delete it to read the images as 25 a second") from exc


def save_times(folder: Path, times: FrameTimes) -> None:
    """Write `frames.json`, whole or not at all."""
    write_json(folder / NAME, times.model_dump(mode="json"))
