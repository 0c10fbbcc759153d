"""Options of `dataset`. Imports no numpy."""

import math
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from lookalike.errors import ConfigError
from lookalike.options import Options

SplitName = Literal["train", "val", "test"]
_NAMES: Final[dict[int, tuple[SplitName, ...]]] = {1: ("train",), 2: ("train", "test"), 3: ("train", "val", "test")}
MOST_CRF: Final = 51


class DatasetOptions(Options):
    """What goes into a data set, and how it is divided."""

    split: str = "0.8/0.1/0.1"
    """Shares of train/val/test (or train/test, or 1 for no split); no person is in two of them."""
    seed: Annotated[int, Field(ge=0)] = 0
    """Chooses among splits that are equally good."""
    crf: str = "23,40"
    """Qualities at which every clip is encoded with H.264, lower is better."""
    frames: bool = False
    """Write every frame as PNG, too, as it is after encoding; of masks, too."""
    masks: bool = False
    """Write where pixels were changed, one lossless video for each fake clip."""
    sound: Literal["keep", "drop"] = "drop"
    """Whether sound goes along; fakes have the sound of their real clip."""
    allow_leak: bool = False
    """Let a person be in several of train, val and test where it cannot be otherwise."""
    require_consent: bool = False
    """Refuse clips of people who are not on record with consent to use in a data set or in research."""
    check_identities: bool = False
    """Compare the faces of all people; list who look alike, and refuse two names for one."""

    @model_validator(mode="after")
    def _can_be_read(self) -> Self:
        parse_split(self.split)
        parse_crf(self.crf)
        return self


def parse_split(text: str) -> dict[SplitName, float]:
    """Shares by name, in order, which add up to 1.

    Raises:
        ConfigError: it is no such list.
    """
    try:
        shares = [float(part) for part in text.split("/")]
    except ValueError:
        shares = []
    names = _NAMES.get(len(shares), ())
    if not names or not all(0 <= share <= 1 for share in shares) or not math.isclose(sum(shares), 1, abs_tol=1e-6):
        raise ConfigError(f"split: {text[:60]!r} is no shares that add up to 1; write 0.8/0.1/0.1")
    return {name: share for name, share in zip(names, shares, strict=True) if share > 0}


def parse_crf(text: str) -> list[int]:
    """Qualities, rising, each once.

    Raises:
        ConfigError: it is no list of them.
    """
    parts = text.split(",")
    if not all(part.strip().isdecimal() and int(part) <= MOST_CRF for part in parts):
        raise ConfigError(f"crf: {text[:60]!r} is no list of qualities from 0 to {MOST_CRF}; write 23,40")
    return sorted({int(part) for part in parts})
