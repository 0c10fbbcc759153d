"""Completing what a killed run left half done to a faceset, and keeping what lies beside it true to its names."""

from pathlib import Path

from lookalike.faceset.index import FacesetIndex, index_path
from lookalike.faceset.rename import finish_renames
from lookalike.faceset.rewrite import finish_swap
from lookalike.faceset.trash import finish_putting_aside
from lookalike.files import write_bytes


def mend(folder: Path) -> int:
    """Put a finished new faceset in its place, complete a renaming and a putting aside; call it before using a faceset.

    Returns:
        Files that were renamed.

    Raises:
        FacesetError: a journal cannot be read.
    """
    finish_swap(folder)
    done = finish_renames(folder)
    if done:
        follow(folder, done)
    finish_putting_aside(folder)
    return len(done)


def follow(folder: Path, renamed: dict[str, str]) -> None:
    """Have the index, the written order and the list of rejects follow a renaming of files, where they are there.

    Args:
        folder: where the files are.
        renamed: old to new name.
    """
    if index_path(folder).exists():
        with FacesetIndex(folder) as index:
            index.renamed(renamed)  # safe whatever it knew: sync still looks at size and time stamp of each file
    for path in (order_path(folder), rejects_path(folder)):
        if path.is_file():
            lines = path.read_bytes().decode(errors="surrogateescape").split("\n")
            write_bytes(
                path, "\n".join(with_new_names(line, renamed) for line in lines).encode(errors="surrogateescape")
            )


def with_new_names(line: str, renamed: dict[str, str]) -> str:
    """A line of an order or a list of rejects after a renaming; a reason may end in a name: duplicate of 3_0.jpg."""
    name, tab, why = line.partition("\t")
    what, of, other = why.partition(" of ")
    return renamed.get(name, name) + tab + what + of + renamed.get(other, other)


def order_path(folder: Path) -> Path:
    """Where the latest order of a faceset is written, one name a line: beside it."""
    return folder.with_name(f"{folder.name}.order.txt")


def rejects_path(folder: Path) -> Path:
    """Where it is written which faces a sort would put aside, and why: beside the faceset."""
    return folder.with_name(f"{folder.name}.rejects.txt")
