"""The base of every options class and of everything written to disk as JSON or TOML. Imports no numpy."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

FaceType = Literal["half", "full", "head", "avatar"]
"""How much of a head is in an aligned face: brows to mouth, forehead to chin, the head, or a loose square."""


class Options(BaseModel):
    """Frozen, checked, and strict: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


def format_of(value: object) -> int:
    """The format number of parsed JSON or TOML, 0 without one; looked at first, as a newer format has unknown keys."""
    number = value.get("format") if isinstance(value, dict) else None
    return number if isinstance(number, int) else 0


def first_problem(exc: ValidationError) -> str:
    """The first thing wrong, in one line: where, and what."""
    first = exc.errors()[0]
    where = ".".join(str(part) for part in first["loc"]) or "it"
    return f"{where}: {first['msg']}"
