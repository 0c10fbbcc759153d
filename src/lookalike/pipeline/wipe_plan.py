"""What `wipe` removes from a workspace and what it leaves, found before anything is removed."""

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from lookalike.pipeline.result import stamp
from lookalike.pipeline.workspace import Workspace

CONSENTS: Final = "consents"
"""Folder of the records of consent."""
STAYS: Final = ("workspace.toml", ".lock", ".lock.owner")
"""The first is emptied at the end, so that a wipe that was killed can go on."""
RESULTS: Final = ("result.mp4", "piece.mp4")
"""Names that results have when none is given."""
_RESULT_STEPS: Final = ("merge", "encode", "piece")
_EXPORT_STEP: Final = "export_model_"
"""Notes of what `export` wrote begin with it."""
_OURS: Final = (
    "data_src*",
    "data_dst*",
    "model",
    "report",
    "merge.toml",
    "pretrain.cache",
    ".merge",
    ".encode",
    ".piece",
    ".studio",
    ".hashes.json",
    ".denoise_*",
    ".hashes.json",
    ".upload-*",
    ".*.partial*",
    ".*.pieces",
    ".*.lock",
)
"""Names at the top of a workspace of what steps make."""


@dataclass(frozen=True, slots=True)
class Doomed:
    """A file, link or folder that goes."""

    path: Path
    files: int
    """In it, all the way down; 1 for a file."""
    bytes: int
    """That this frees, but for files that have another name elsewhere."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What stays, and why."""

    path: Path
    why: str


@dataclass(slots=True)
class Plan:
    """All that goes, and all that stays that somebody may not expect."""

    doomed: list[Doomed] = field(default_factory=list)
    emptied: list[Path] = field(default_factory=list)
    """Folders to be removed afterwards if nothing is left in them, inner ones first."""
    kept: list[Kept] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What else should be known before."""


def plan_wipe(workspace: Workspace, *, keep_result: bool, consents: bool, everything: bool) -> Plan:
    """Look through a workspace.

    Args:
        keep_result: results in the workspace stay.
        consents: records of consent go.
        everything: what no step made, and originals of videos that lie in the workspace, go as well.

    Raises:
        WorkspaceError: workspace.toml cannot be read.
    """
    plan = Plan()
    originals = {} if everything else _originals(workspace)
    results, exports = _results(workspace), _exports(workspace)
    for path in sorted(_inside(workspace.folder)):
        name = path.name
        if name in STAYS:
            continue
        if name == CONSENTS and not consents:
            plan.kept.append(Kept(path, "evidence of who agreed; --consents removes it"))
        elif name in results and keep_result:
            plan.kept.append(Kept(path, "a result"))
        elif name in {*results, *exports, CONSENTS} or everything or any(fnmatchcase(name, one) for one in _OURS):
            _doom(plan, path, originals)
        elif path in originals:
            plan.kept.append(Kept(path, f"the original of {originals[path]}; --all removes it"))
        else:
            plan.kept.append(Kept(path, "not made by Lookalike; --all removes it"))
    _look_elsewhere(plan, workspace)
    return plan


def said(path: Path) -> str:
    """A path for people to read, whatever bytes its name has."""
    return os.fsencode(path).decode("utf-8", "replace")


def _doom(plan: Plan, path: Path, originals: dict[Path, str]) -> None:
    """Put a file or folder on the list, but not the originals in it."""
    if path in originals:
        own = [] if path.is_symlink() or not path.is_dir() else [one for one in _inside(path) if _is_folder(one)]
        plan.kept.append(Kept(path, f"the original of {originals[path]}; --all removes it"))
    elif any(path in one.parents for one in originals):
        own = list(_inside(path))
        plan.emptied.insert(0, path)
    else:
        plan.doomed.append(Doomed(path, *_size(path)))
        return
    for inner in sorted(own):
        _doom(plan, inner, originals)


def _size(path: Path) -> tuple[int, int]:
    """Files and bytes; links are not followed, what vanishes meanwhile counts as nothing."""
    try:
        found = path.lstat()
    except OSError:
        return 0, 0
    if not stat.S_ISDIR(found.st_mode):
        return 1, found.st_size
    sizes = [_size(inner) for inner in _inside(path)]
    return sum(files for files, _ in sizes), sum(size for _, size in sizes)


def _inside(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _originals(workspace: Workspace) -> dict[Path, str]:
    """Files and folders in the workspace that its videos were taken from, by path, with their side."""
    record, found = workspace.record, dict[Path, str]()
    folder = workspace.folder.resolve()
    for side, source in (("src", record.src), ("dst", record.dst)):
        if source is None:
            continue
        for origin in {Path(source.origin), Path(source.file)}:
            if origin.is_absolute() and origin.is_relative_to(folder) and origin != folder:
                found[workspace.folder / origin.relative_to(folder)] = side
    return found


def _results(workspace: Workspace) -> set[str]:
    """Names in the workspace of results, and of their signatures."""
    names = set(RESULTS) | _names_here(workspace, _RESULT_STEPS)
    return names | {f"{name}.c2pa" for name in names}


def _exports(workspace: Workspace) -> set[str]:
    """Names in the workspace of models that were written for other programs."""
    return _names_here(workspace, _export_steps(workspace))


def _names_here(workspace: Workspace, steps: Iterable[str]) -> set[str]:
    """Names in the workspace of what steps wrote, also where it was moved or copied since."""
    names, folder, stamps = set[str](), workspace.folder.resolve(), _stamps(workspace, steps)
    for written in _written(workspace, steps):
        here = workspace.folder / written.name
        if written.parent == folder or (here.is_file() and stamp(here) in stamps):
            names.add(written.name)
    return names


def _export_steps(workspace: Workspace) -> list[str]:
    return [step for step in workspace.record.steps if step.startswith(_EXPORT_STEP)]


def _written(workspace: Workspace, steps: Iterable[str]) -> Iterator[Path]:
    for step in steps:
        output = workspace.done(step).get("output")
        if isinstance(output, str) and output:
            yield Path(output)


def _stamps(workspace: Workspace, steps: Iterable[str]) -> set[str]:
    return {str(workspace.done(step).get("stamp")) for step in steps}


def _look_elsewhere(plan: Plan, workspace: Workspace) -> None:
    """What the workspace knows of outside of it, which is not touched."""
    record, folder = workspace.record, workspace.folder.resolve()
    for side, source in (("src", record.src), ("dst", record.dst)):
        if source is None or Path(source.origin).is_relative_to(folder):
            continue
        if os.path.lexists(source.origin):
            plan.kept.append(Kept(Path(source.origin), f"the original of {side}, outside of the workspace"))
        else:
            plan.notes.append(f"the original of {side}, {source.origin}, is gone; its copy here may be the last one")
    for steps, what in ((_RESULT_STEPS, "a result"), (_export_steps(workspace), "an exported model")):
        for written in _written(workspace, steps):
            if not written.is_relative_to(folder) and os.path.lexists(written):
                plan.kept.append(Kept(written, f"{what} outside of the workspace"))
