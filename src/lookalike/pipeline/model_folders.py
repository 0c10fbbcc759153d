"""The models of a workspace as their owner sees them: what they are, how far they are, what can be gone back to.

Imports no torch. A training may write there meanwhile: every file may be missing, half written or gone.
"""

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lookalike.pipeline.mask_networks import NAME as MASK_MODEL
from lookalike.pipeline.mask_networks import own_iterations, own_network
from lookalike.pipeline.workspace import Workspace

_BACKUP: Final = re.compile(r"[0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ModelSeen:
    """A folder under model/."""

    name: str
    kind: str
    """Architecture, or xseg; empty before the first checkpoint."""
    resolution: int | None
    """Pixels of the face's side."""
    iteration: int
    """Of the last checkpoint."""
    changed: float | None
    """Unix seconds of the last checkpoint."""
    backups: int
    """How many there are to go back to."""


@dataclass(frozen=True, slots=True)
class BackupSeen:
    """A copy of a model as it was."""

    number: int
    """Rises by one with every newer backup."""
    mark: str
    """Stays the same while the number rises."""
    iteration: int
    seconds: float | None
    """Of training up to then."""
    made: float
    """Unix seconds."""
    picture: str | None
    """Changes with its preview; None if it has none."""


def model_folders(workspace: Workspace) -> list[str]:
    """Names of the folders under model/, in order."""
    try:
        return sorted(path.name for path in (workspace.folder / "model").iterdir() if path.is_dir() and _is_own(path))
    except OSError:
        return []


def look_at_model(workspace: Workspace, name: str) -> ModelSeen:
    """What is known of a model without opening its weights."""
    folder = workspace.model(name)
    if name == MASK_MODEL:
        return ModelSeen(name, MASK_MODEL, None, own_iterations(workspace) or 0, _changed(own_network(workspace)), 0)
    state = read_object(folder / "state.json")
    sizes = as_object(state.get("model"))
    resolution = sizes.get("resolution")
    return ModelSeen(
        name=name,
        kind=str(sizes.get("model", "")),
        resolution=resolution if isinstance(resolution, int) else None,
        iteration=as_whole(state.get("step")),
        changed=_changed(folder / "state.json"),
        backups=len(look_at_backups(folder)),
    )


def look_at_backups(folder: Path) -> list[BackupSeen]:
    """The backups of the model in `folder`, the newest first."""
    try:
        places = sorted(path for path in (folder / "backups").iterdir() if _BACKUP.fullmatch(path.name))
    except OSError:
        return []
    return [seen for path in places if (seen := _look_at_backup(path)) is not None]


def read_object(path: Path) -> dict[str, Any]:
    """The JSON object of a file; an empty one if there is none."""
    try:
        return as_object(json.loads(path.read_bytes()))
    except (OSError, ValueError, RecursionError):
        return {}


def as_object(value: Any) -> dict[str, Any]:
    """A JSON object, or an empty one in place of anything else."""
    return value if isinstance(value, dict) else {}


def as_whole(value: Any) -> int:
    """A number without its fraction; 0 in place of anything else."""
    return int(value) if isinstance(value, int | float) and math.isfinite(value) else 0


def file_stamp(path: Path) -> str | None:
    """Changes with a file; None if it is not there."""
    try:
        return str(path.stat().st_mtime_ns)
    except OSError:
        return None


def _look_at_backup(path: Path) -> BackupSeen | None:
    state, made = read_object(path / "state.json"), _changed(path / "state.json")
    if made is None or not as_object(state.get("model")):
        return None
    seconds = state.get("seconds")
    return BackupSeen(
        number=int(path.name),
        mark=f"{as_whole(state.get('step'))}-{seconds}",
        iteration=as_whole(state.get("step")),
        seconds=seconds if isinstance(seconds, int | float) and math.isfinite(seconds) else None,
        made=made,
        picture=file_stamp(path / "preview.jpg"),
    )


def _changed(path: Path) -> float | None:
    try:
        return path.stat().st_mtime
    except OSError:
        return None


def _is_own(path: Path) -> bool:
    """Whether a folder lies where its name says, and is no hidden one."""
    return path.name[0] != "." and path.resolve().parent == path.parent.resolve()
