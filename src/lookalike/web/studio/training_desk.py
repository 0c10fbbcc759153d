"""The trainings of a studio: which job trains which model, what is asked of it, and what the page shows."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final, get_args

from lookalike.errors import ConfigError, LookalikeError, WorkspaceError
from lookalike.faceset import SUFFIXES
from lookalike.masks.config import MASK_OPTIONS, MaskTrainConfig
from lookalike.models.choice import ModelChoice
from lookalike.models.config import ModelName
from lookalike.pipeline.mask_networks import NAME as MASK_MODEL
from lookalike.pipeline.model_folders import (
    as_object,
    as_whole,
    file_stamp,
    look_at_backups,
    look_at_model,
    model_folders,
    read_object,
)
from lookalike.pipeline.plan import new_training, next_options
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.training.config import TrainConfig
from lookalike.web.studio.job import Job
from lookalike.web.studio.jobs import Jobs
from lookalike.web.studio.kinds import KINDS, SIDES, checked
from lookalike.web.train_folder import TIMELAPSE, TrainFolder

_KEPT: Final = 8
"""Models whose curves are held in memory."""


class NoModelError(LookalikeError):
    """A workspace has no model of that name."""


class TrainingDesk:
    """Reads the models of all workspaces, and changes what is trained. Safe in threads."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._folders: OrderedDict[str, TrainFolder] = OrderedDict()
        self._lock = threading.Lock()

    def look(self, workspace: Workspace) -> dict[str, Any]:
        """The models of a workspace, which of them is trained, and whether there are faces to train on."""
        seen = [look_at_model(workspace, name) for name in model_folders(workspace)]
        trained = {name: job for job in self._at_work(workspace) if (name := self._model_of(workspace, job))}
        return {
            "models": [asdict(one) for one in seen],
            "jobs": {name: {"number": job.number, "kind": job.kind} for name, job in trained.items()},
            "last": workspace.done("train").get("name"),
            "faces": {side: _has_faces(workspace, side) for side in SIDES},
        }

    def folder(self, workspace: Workspace, name: str) -> TrainFolder:
        """What reads a model's folder; a training that has just begun need not have made it yet.

        Raises:
            NoModelError: there is no such model.
        """
        if name not in model_folders(workspace) and self.trainer(workspace, name) is None:
            raise NoModelError(f"{workspace.folder.name} has no model {name[:100]!r}; it may have been deleted")
        path = workspace.model(name)
        with self._lock:
            found = self._folders.setdefault(str(path), TrainFolder(path))
            self._folders.move_to_end(str(path))
            while len(self._folders) > _KEPT:
                self._folders.popitem(last=False)
        return found

    def data(self, workspace: Workspace, name: str, numbers: dict[str, int]) -> dict[str, Any]:
        """All that the page shows of a model, options of a run that has not saved yet among them.

        Raises:
            NoModelError: there is no such model.
        """
        folder = self.folder(workspace, name)
        job = self.trainer(workspace, name)
        shown = folder.look(**numbers)
        shown |= held(workspace, name, job) if job or not shown["running"] else {}
        shown |= {
            "target": as_whole(shown["options"].get("iterations")),
            "minutes": shown["options"].get("minutes"),
            "kind": MASK_MODEL if name == MASK_MODEL else shown["sizes"].get("model", ""),
            "job": job and job.number,
            "backups": [asdict(one) for one in look_at_backups(folder.folder)],
            "timelapse": file_stamp(folder.folder / TIMELAPSE),
        }
        if name == MASK_MODEL:
            at_work = job is not None and job.unit == "iterations"
            shown["iteration"] = int(job.done) if job and at_work else look_at_model(workspace, name).iteration
        return shown

    def change(self, workspace: Workspace, name: str, changes: dict[str, Any]) -> int:
        """Let a training go on with other options: it saves and stops, and starts again. Gives the new job's number.

        Raises:
            NoModelError: no job trains the model. ConfigError: options that cannot be used.
            WorkspaceError: it is trained by a job that does more than that.
        """
        jobs = [job for job in self._at_work(workspace) if self._model_of(workspace, job) == name]
        if not jobs:
            raise NoModelError(f"no job trains {name[:100]!r}; start it")
        if any(job.kind != "train" for job in jobs):
            raise WorkspaceError(f"{name} is trained by job {jobs[0].number}, a whole swap; stop that first")
        options = carried_on(jobs[0], changes)
        before = held(workspace, name, jobs[0])
        planned(options, before if before["sizes"] else None)
        number = self._jobs.add(workspace.folder.name, "train", options=options, next_up=True).number
        for job in jobs:
            if job.state in ("waiting", "running"):  # asked a second time, one that is stopping would not save
                self._jobs.cancel(job.number)
        return number

    def go_back(self, workspace: Workspace, name: str, mark: str) -> int:
        """Train on from a backup. Gives the job's number.

        Raises:
            NoModelError: there is no such model or backup. WorkspaceError: the model is being trained.
        """
        if name not in model_folders(workspace):
            raise NoModelError(f"{workspace.folder.name} has no model {name[:100]!r}; it may have been deleted")
        if self.trainer(workspace, name) is not None:
            raise WorkspaceError(f"{name} is being trained; stop it first")
        found = [one for one in look_at_backups(workspace.model(name)) if one.mark == mark]
        if not found:
            raise NoModelError(f"{name} has that backup no more; choose another one")
        options = {"name": name, "backup": found[0].number}
        return self._jobs.add(workspace.folder.name, "train", options=options).number

    def trainer(self, workspace: Workspace, name: str) -> Job | None:
        """The newest job that trains a model, or will."""
        return next((job for job in self._at_work(workspace) if self._model_of(workspace, job) == name), None)

    def _at_work(self, workspace: Workspace) -> Iterator[Job]:
        """Jobs that train in a workspace, or will; the newest first."""
        for values in self._jobs.list(workspace.folder.name):
            job = Job(**values)
            if job.kind in ("train", "swap") and not job.is_over:
                yield job

    def _model_of(self, workspace: Workspace, job: Job) -> str | None:
        """The folder of the model that a job trains; None as long as only the job itself knows."""
        if job.options.get("model") == MASK_MODEL:
            return MASK_MODEL
        if job.kind == "train" and job.options.get("name"):
            return str(job.options["name"])
        speaking = (name for name in model_folders(workspace) if (workspace.model(name) / "status.json").is_file())
        return next(speaking, None) if job.state in ("running", "stopping") else None


def held(workspace: Workspace, name: str, job: Job | None) -> dict[str, Any]:
    """`sizes` and `options` that hold for a model: those of its last checkpoint, then what its job was asked for."""
    state = read_object(workspace.model(name) / "state.json")
    stored = {"sizes": as_object(state.get("model")), "options": as_object(state.get("options"))}
    asked = dict(job.options) if job and job.kind == "train" else {}
    if name == MASK_MODEL:
        done = workspace.done("train_masks").get("iterations")
        return planned({"model": MASK_MODEL} | ({"iterations": done} if done else {}) | asked)
    try:
        return planned(asked, stored if stored["sizes"] else None) if asked or stored["sizes"] else stored
    except ConfigError:  # of a newer version, or spoilt by hand
        return stored


def planned(asked: dict[str, Any], stored: dict[str, Any] | None = None) -> dict[str, Any]:
    """Sizes and options of a run that is asked for by options of a job `train`.

    Args:
        asked: as the job has them.
        stored: `sizes` and `options` of a model that is there; None for a new one.

    Raises:
        ConfigError: an option that cannot be used.
    """
    given = checked(KINDS["train"].forms, asked)
    if given.get("model") == MASK_MODEL:
        return {"sizes": {}, "options": _planned_mask({key: given[key] for key in given if key in MASK_OPTIONS})}
    preset = given.get("preset")
    sizes = {key: given[key] for key in given if key in ModelChoice.model_fields}
    changes = {key: given[key] for key in given if key in TrainConfig.model_fields}
    if stored is None:
        network, options = new_training(preset, sizes, changes)
        return {"sizes": network.model_dump(mode="json"), "options": options.model_dump(mode="json")}
    model = stored["sizes"].get("model")
    if model not in get_args(ModelName):
        raise ConfigError(f"there is no model {model}; update Lookalike to train it")
    return stored | {"options": next_options(model, stored["options"], preset, changes).model_dump(mode="json")}


def carried_on(job: Job, changes: dict[str, Any]) -> dict[str, Any]:
    """Options of a job that takes over from another: what that was asked for and may not have saved, then changes."""
    before = dict(job.options)
    if any(line.startswith("train: ") for line in job.lines):  # it has begun, so it has gone back already
        before.pop("backup", None)
    if any(changes.get(key) for key in ("iterations", "minutes")):  # a new limit lifts the other one
        before = {key: before[key] for key in before if key not in ("iterations", "minutes")}
    return before | changes


def _planned_mask(given: dict[str, Any]) -> dict[str, Any]:
    defaults = MaskTrainConfig().model_dump(mode="json")
    return {key: given.get(key, defaults[key]) for key in MASK_OPTIONS}


def _has_faces(workspace: Workspace, side: Side) -> bool:
    try:
        return any(path.suffix.lower() in SUFFIXES for path in workspace.aligned(side).iterdir())
    except OSError:
        return False
