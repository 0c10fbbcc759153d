"""Completing what a killed run left half done to a faceset."""

from pathlib import Path

from lookalike.faceset.index import FacesetIndex
from lookalike.faceset.rename import finish_renames
from lookalike.faceset.rewrite import finish_swap


def mend(folder: Path) -> int:
    """Put a finished new faceset in its place and complete a renaming; to be called before a faceset is used.

    Returns:
        Files that were renamed.

    Raises:
        FacesetError: the journal of the renaming cannot be read.
    """
    finish_swap(folder)
    done = finish_renames(folder)
    if done:
        with FacesetIndex(folder) as index:
            index.renamed(done)  # safe whatever it knew: sync still looks at size and time stamp of each file
    return len(done)
