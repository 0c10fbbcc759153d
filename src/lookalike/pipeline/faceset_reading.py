"""What the faceset commands share: opening a faceset, reading all its records, rewriting it whole."""

from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.curation.facts import Facts
from lookalike.errors import EmptyFacesetError, RecordError
from lookalike.faceset import FaceRecord, list_faces, load_record, save_face
from lookalike.faceset.mend import mend
from lookalike.faceset.rewrite import Rewrite
from lookalike.pipeline.workspace import Side, Workspace, fingerprint
from lookalike.types import Event, Message, Progress

Make = Callable[[Path], tuple[NDArray[np.uint8], FaceRecord] | None]
"""A face's new crop and record, or none to keep its file as it is."""


def open_faces(workspace: Workspace, side: Side) -> list[Path]:
    """The faces of a side in name order, once whatever a killed run left undone is finished.

    Raises:
        FacesetError: there is no faceset.
        EmptyFacesetError: it has no faces.
    """
    aligned = workspace.aligned(side)
    mend(aligned)
    paths = list_faces(aligned)
    if not paths:
        raise EmptyFacesetError(f"no faces in {aligned}; run extract, or put removed faces back")
    return paths


def read_records(paths: Sequence[Path], step: str) -> Iterator[tuple[Path, FaceRecord] | Event]:
    """Each face and its record, progress between them, and at the end a message on files that are no faces."""
    bad: list[str] = []
    for done, path in enumerate(paths, 1):
        try:
            yield path, load_record(path)
        except RecordError as exc:
            bad.append(str(exc))
        yield Progress(step, done, len(paths), "faces")
    if bad:
        more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
        yield Message(step, f"left {len(bad)} of {len(paths)} files alone: {bad[0]}{more}")


def read_facts(paths: Sequence[Path], step: str) -> Generator[Event, None, list[Facts]]:
    """What checks and statistics need of every face; returned when all are read."""
    facts = []
    for item in read_records(paths, step):
        if isinstance(item, tuple):
            facts.append(Facts.of(item[0].name, item[1]))
        else:
            yield item
    return facts


def rewrite_key(what: str, paths: Sequence[Path]) -> str:
    """Changes with what is done and with any of the files."""
    stamps = ((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in paths)
    return fingerprint(what, *stamps)


def free_name(name: str, taken: set[str]) -> str:
    """`name`, or the first of name-2, name-3, ... that is not taken; it is taken then."""
    path, number = Path(name), 2
    while name.casefold() in taken:
        name, number = f"{path.stem}-{number}{path.suffix}", number + 1
    taken.add(name.casefold())
    return name


def make_anew(
    rewrite: Rewrite, paths: Sequence[Path], names: Sequence[str], make: Make, step: str
) -> Generator[Event, None, int]:
    """Fill a rewrite with every face made anew, or as it is where it cannot be; how many were made.

    Args:
        names: file names of the new faces, one a path.
    """
    made, bad = 0, list[str]()
    for done, (path, name) in enumerate(zip(paths, names, strict=True), 1):
        target = rewrite.work / name
        if target.exists():  # by the run that was killed
            made += 1
        else:
            try:
                new = make(path)
            except RecordError as exc:
                new = None
                bad.append(str(exc))
            if new is None:
                rewrite.keep(path)
            else:
                save_face(target, *new)
                made += 1
        yield Progress(step, done, len(paths), "faces")
    if bad:
        yield Message(step, f"kept {len(bad)} files as they are: {bad[0]}")
    return made


def put_in_place(rewrite: Rewrite, step: str, what: str) -> Iterator[Event]:
    """Exchange the facesets and say where the old one is."""
    aside = rewrite.put_in_place()
    old = f"; the old faceset is kept in {aside.name}" if aside else ""
    yield Message(step, f"{what}{old}")
