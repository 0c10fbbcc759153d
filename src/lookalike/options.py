"""The base of every options class and of everything written to disk as JSON or TOML. Imports no numpy."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

FaceType = Literal["half", "full", "head", "avatar"]
"""How much of a head is in an aligned face: brows to mouth, brows to chin and lower forehead, the head, or a loose square."""


class Options(BaseModel):
    """Frozen, checked, and strict: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)
