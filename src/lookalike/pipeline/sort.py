"""Curating a faceset: an order, faces taken out, and on request other file names."""

import os
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lookalike.curation.config import SortConfig, SortMethod
from lookalike.curation.features import FEATURES
from lookalike.curation.methods import METHODS, Faces, Method, run
from lookalike.curation.order import Sorted
from lookalike.errors import ConfigError, EmptyFacesetError, FacesetError
from lookalike.faces.expression import Expression
from lookalike.faceset import FaceRecord
from lookalike.faceset.index import FacesetIndex, Feature
from lookalike.faceset.mend import follow, mend, order_path, rejects_path, with_new_names
from lookalike.faceset.rename import rename_all, undo_renames
from lookalike.faceset.trash import put_all_aside
from lookalike.files import write_bytes
from lookalike.pipeline.faceset_reading import open_faces
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.types import Event, Message, Progress

_EXPRESSION = "expression"
_NAMED = 5
"""How many unreadable files a message names."""


def sort(workspace: Workspace, side: Side, config: SortConfig) -> Iterator[Event]:
    """Sort the faces of a side: the order goes into the index and, one name a line, into `aligned.order.txt`.

    Faces that the method takes out go to `aligned_trash`, the reason in their record; with `rejects="list"` all stay.
    Files are renamed only with `rename`. A run that was killed may be repeated.

    Raises:
        ConfigError: match-dst for dst.
        FacesetError: no faceset; EmptyFacesetError: nothing in it that can be read.
        StorageError: the disk is full or not writable.
    """
    step, method = f"sort_{side}", METHODS[config.by]
    if method.dst and side == "dst":
        raise ConfigError(f"{config.by} ranks src by what dst shows; sort src by it")
    folder = workspace.aligned(side)
    if renamed := mend(folder):
        yield Message(step, f"finished renaming {renamed} files in {folder}, which had been cut off")
    open_faces(workspace, side)
    if method.dst:
        open_faces(workspace, "dst")
    with FacesetIndex(folder, _workers()) as index:
        yield from _opened(index, step)
        faces = yield from _faces(index, method, step)
        if method.dst:
            with FacesetIndex(workspace.aligned("dst"), _workers()) as other:
                yield from _opened(other, step)
                _, features = yield from _features(other, method.needs, step)
            faces = Faces(faces.names, faces.features, faces.frames, features)
        found = run(faces, config)
        if config.rejects == "trash":
            yield from _put_aside(workspace, side, config.by, found, faces.names)
            index.sync()
        names = [faces.names[face] for face in found.order]
        if config.rejects == "list":
            names += [faces.names[face] for face in sorted(found.rejects)]
        done: dict[str, str] = {}
        if config.rename:
            done = rename_all(folder, numbered(folder, names), f"sort {config.by}")
            index.renamed(done)
            names = [done.get(name, name) for name in names]
            yield Message(
                step, f"renamed {len(done)} files; to take it back: lookalike sort {workspace.folder} {side} --undo"
            )
        index.save_order(config.by, names)
    write_bytes(order_path(folder), "".join(f"{name}\n" for name in names).encode())
    rejects = found.rejects if config.rejects == "list" else {}
    lines = [with_new_names(f"{faces.names[face]}\t{reason}", done) + "\n" for face, reason in sorted(rejects.items())]
    yield from _list_rejects(lines, folder, step)
    workspace.note(step, options=config.model_dump(mode="json", exclude_none=True), faces=len(found.order))
    listed = order_path(folder).name
    yield Message(step, f"{len(found.order)} faces by {config.by}, {method.help}; the order is in {listed}")


def undo(workspace: Workspace, side: Side) -> Iterator[Event]:
    """Give the files the names they had before the last renaming; again for the one before.

    Raises:
        FacesetError: nothing was renamed, or none of the files is there any more.
    """
    step, folder = f"sort_{side}", workspace.aligned(side)
    if renamed := mend(folder):
        yield Message(step, f"finished renaming {renamed} files in {folder}, which had been cut off")
    done = undo_renames(folder)
    follow(folder, done)
    yield Message(step, f"{len(done)} files have their former names again")


def numbered(folder: Path, names: Sequence[str]) -> dict[str, str]:
    """00000, 00001, ... with each file's own suffix, for files in a new order; more digits from 100,000 files on.

    A number that a file which stays has already is left out.
    """
    ours = set(names)
    others = {path.stem for path in folder.iterdir() if path.name not in ours}
    digits = max(5, len(str(len(names) + len(others) - 1)))
    mapping: dict[str, str] = {}
    number = 0
    for name in names:
        while (stem := f"{number:0{digits}d}") in others:
            number += 1
        mapping[name] = stem + Path(name).suffix
        number += 1
    return mapping


def _opened(index: FacesetIndex, step: str) -> Iterator[Event]:
    """Bring an index up to date and say what cannot be read."""
    change = index.sync()
    if change.unreadable:
        names = list(change.unreadable)
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        listed = ", ".join(names[:_NAMED]) + more
        yield Message(step, f"{len(names)} files in {index.folder} are no readable faces and are left alone: {listed}")
    if not index.names():
        raise EmptyFacesetError(f"no faces in {index.folder}; run extract, or put removed faces back")


def _faces(index: FacesetIndex, method: Method, step: str) -> Generator[Event, None, Faces]:
    """What the method may look at."""
    names, features = yield from _features(index, method.needs, step)
    frames = {}
    if method.frames:
        frames = {name: (r.source, r.frame, r.number) for name, r in index.iter_records()}
        if gone := [name for name in names if name not in frames]:
            raise FacesetError(f"{index.folder / gone[0]} went meanwhile; run the same command again")
    return Faces(names, features, [frames[name] for name in names] if method.frames else [])


def _features(
    index: FacesetIndex, needs: Sequence[str], step: str
) -> Generator[Event, None, tuple[list[str], dict[str, NDArray[np.float32]]]]:
    """The faces, and (N, D) of them by feature, the missing ones computed."""
    wanted = {name: _expression_feature() if name == _EXPRESSION else FEATURES[name] for name in needs}
    for done, total in index.fill(list(wanted.values())):
        yield Progress(step, done, total, "faces", f"looking at {', '.join(needs)}")
    names, stored = index.table(list(wanted.values()))
    return names, {name: stored[feature.kind] for name, feature in wanted.items()}


def _expression_feature() -> Feature:
    network: list[Expression] = []

    def compute(crop: NDArray[np.uint8], record: FaceRecord) -> NDArray[np.float32]:
        if not network:  # loaded only when a face has no expression yet
            network.append(Expression())
        return network[0].of(record.mesh_array())

    return Feature("expression/1", compute, pixels=False)


def _put_aside(
    workspace: Workspace, side: Side, by: SortMethod, found: Sorted, names: Sequence[str]
) -> Iterator[Event]:
    """Move what the method takes out to the trash, its reason marked with the method."""
    step, trash, folder = f"sort_{side}", workspace.trash(side), workspace.aligned(side)
    rejects = {names[face]: f"sort {by}: {reason}" for face, reason in found.rejects.items()}
    for done in put_all_aside(folder, trash, rejects):
        if done % 100 == 0:
            yield Progress(step, done, len(found.rejects), "faces", "putting aside")
    if found.rejects:
        back = f'lookalike faceset restore {workspace.folder} {side} --reason "sort {by}"'
        yield Message(step, f"{len(found.rejects)} faces put aside in {trash}; to bring them back: {back}")


def _list_rejects(lines: Sequence[str], folder: Path, step: str) -> Iterator[Event]:
    """Write down which faces are at the end of the order, and why; the list of an earlier sort goes."""
    path = rejects_path(folder)
    if not lines:
        path.unlink(missing_ok=True)
        return
    write_bytes(path, "".join(lines).encode())
    yield Message(step, f"{len(lines)} faces would be put aside; they are at the end, and listed in {path.name}")


def _workers() -> int:
    return max(1, os.cpu_count() or 1)
