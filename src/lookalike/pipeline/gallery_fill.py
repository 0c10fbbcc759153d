"""Reading a large faceset into its index in a process of its own: what serves pages goes on undisturbed."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from lookalike.curation.columns import COLUMN_NAMES, COLUMNS
from lookalike.curation.features import FEATURES
from lookalike.errors import LookalikeError
from lookalike.faceset.index import FacesetIndex

__all__ = ["COLUMN_NAMES", "WANTED", "fill"]

WANTED: Final = (COLUMNS, FEATURES["points"], FEATURES["identity"])
"""All that can be told by the record alone, while it is at hand."""


def fill(index: FacesetIndex) -> Iterator[tuple[int, int]]:
    """Bring an index up to date; yields how many faces are done, of how many.

    Raises:
        FacesetError: the folder is missing, or the index is held by another process.
        StorageError: it cannot be written.
    """
    yield from index.sync_steps(WANTED)
    yield from index.fill(WANTED)


def main(folder: str, path: str) -> None:
    """Fill the index at `path` of the faces in `folder`; a line `DONE TOTAL` now and then."""
    try:
        with FacesetIndex(Path(folder), path=Path(path)) as index:
            for done, total in fill(index):
                sys.stdout.write(f"{done} {total}\n")
                sys.stdout.flush()
    except LookalikeError as exc:
        sys.exit(f"error: {exc}")
