"""Which model of a workspace is meant, and with what sizes and options it is trained."""

from pathlib import Path
from typing import Any

from lookalike.errors import CheckpointError
from lookalike.models.checkpoint import has_checkpoint, load_state
from lookalike.models.config import ModelConfig, ModelName, model_config
from lookalike.pipeline.plan import new_training, next_options
from lookalike.pipeline.workspace import Workspace
from lookalike.training.backups import backup_folder
from lookalike.training.config import PRESETS, Preset, TrainConfig


def model_names(workspace: Workspace) -> list[str]:
    """The models that a workspace has."""
    folder = workspace.folder / "model"
    return sorted(path.name for path in folder.iterdir() if has_checkpoint(path)) if folder.is_dir() else []


def model_name(workspace: Workspace, given: str | None) -> str:
    """The model that is meant: the one named, else the one trained last, else the only one.

    Raises:
        CheckpointError: there is none, none of that name, or several and none was trained last.
    """
    names = model_names(workspace)
    if not names:
        raise CheckpointError(f"no model in {workspace.folder}; run train first")
    if given is not None and given not in names:
        raise CheckpointError(f"{workspace.folder} has no model {given}; it has {', '.join(names)}")
    last = workspace.done("train").get("name")
    if given is None and last not in names and len(names) > 1:
        raise CheckpointError(f"{workspace.folder} has the models {', '.join(names)}; say which with --name")
    return given or (str(last) if last in names else names[0])


def architecture_asked(preset: Preset | None, sizes: dict[str, Any]) -> ModelName | None:
    """The architecture that options ask for: the one named, else the preset's; none if they leave it open."""
    named: ModelName | None = sizes.get("model")
    return named or (PRESETS[preset][0].model if preset else None)


def name_to_train(workspace: Workspace, given: str | None, kind: ModelName | None) -> str:
    """The model to train: the one named, else one of the architecture asked for, else the last one, or a new one."""
    if given is not None:
        return given
    names = model_names(workspace)
    if kind is not None:
        last = workspace.done("train").get("name")
        kinds = [name for name in names if load_state(workspace.model(name)).model.model == kind]
        return last if last in kinds else kinds[0] if kinds else kind
    return model_name(workspace, None) if names else "guided"


def plan_training(
    workspace: Workspace,
    name: str,
    preset: Preset | None,
    sizes: dict[str, Any],
    changes: dict[str, Any],
    backup: int | None = None,
) -> tuple[ModelConfig, TrainConfig]:
    """Sizes and options of a run: of a model that is there, its own; of a new one, the preset's; then what was given.

    With the number of a backup that the run will go back to, they are the backup's if the model itself is damaged.

    Raises:
        ConfigError: an option that cannot be used. CheckpointError: the model cannot be read.
    """
    folder = workspace.model(name)
    if backup is not None and not _is_readable(folder):
        folder = backup_folder(folder, backup)
    if not has_checkpoint(folder):
        return new_training(preset, sizes, changes)
    state = load_state(folder)
    config = model_config(state.model.model_dump() | sizes)
    return config, next_options(state.model.model, state.options, preset, changes)


def _is_readable(folder: Path) -> bool:
    try:
        load_state(folder)
    except CheckpointError:
        return False
    return True
