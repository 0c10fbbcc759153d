"""Options of sorting. Imports no numpy."""

from typing import Annotated, Literal, get_args

from pydantic import Field

from lookalike.options import Options

SortMethod = Literal[
    "blur",
    "motion-blur",
    "face",
    "face-dissim",
    "yaw",
    "pitch",
    "roll",
    "hist",
    "hist-dissim",
    "brightness",
    "hue",
    "black",
    "origname",
    "oneface",
    "size",
    "identity",
    "expression",
    "best",
    "best-no-blur",
    "match-dst",
    "duplicates",
]
"""What faces can be sorted by."""

SORT_METHODS: tuple[SortMethod, ...] = get_args(SortMethod)


class SortConfig(Options):
    """How a faceset is sorted, and what becomes of the faces that a method takes out."""

    by: SortMethod = "hist"
    """What to sort by."""
    target: Annotated[int, Field(ge=1)] | None = None
    """Keep so many faces, the first of the order; `best` keeps 2000 unless told otherwise, other methods all."""
    threshold: Annotated[float, Field(gt=0)] = 2.5
    """For `duplicates`: gray levels of 255 by which two faces may differ and still count as the same."""
    rejects: Literal["trash", "list"] = "trash"
    """Move the faces taken out to aligned_trash, or leave them at the end and only list them."""
    rename: bool = False
    """Rename the files to 00000, 00001, ... in the new order; `--undo` takes it back."""
