"""Step 2: a model out of the two facesets of a workspace."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

from lookalike.errors import ConfigError
from lookalike.faceset import list_faces
from lookalike.files import sweep
from lookalike.models.checkpoint import drop_half_saved, has_checkpoint, load_state
from lookalike.models.config import ModelConfig
from lookalike.pipeline.judge import make_judge
from lookalike.pipeline.models import name_to_train
from lookalike.pipeline.workspace import Workspace
from lookalike.training.backups import go_back
from lookalike.training.config import TrainConfig
from lookalike.training.distributed import is_torchrun
from lookalike.training.loop import train as train_model
from lookalike.types import Event, Message


def leading_process() -> bool:
    """Of the processes that torchrun started, the one that writes and speaks; alone, always."""
    return os.environ.get("RANK", "0") == "0"


def train(
    workspace: Workspace,
    model: ModelConfig | None,
    options: TrainConfig,
    *,
    name: str | None = None,
    backup: int | None = None,
    pretrain_faces: Path | None = None,
) -> Iterator[Event]:
    """Train a model of a workspace until a limit of `options`; goes on from its last checkpoint.

    Args:
        model: sizes of a new model; None takes those of the one that is there.
        options: of this run.
        name: of the model; see name_to_train.
        backup: number of a backup to go back to first.
        pretrain_faces: faceset of many people that both sides learn from while options.pretrain is on.

    Raises:
        FacesetError: extract was not run, or all faces were removed.
        CheckpointError: the model that is there has other sizes, or there is no such backup.
        ConfigError: options that do not go together.
    """
    name = name_to_train(workspace, name, model.model if model else None)
    folder = workspace.model(name)
    sides = {side: workspace.aligned(side) for side in ("src", "dst")}
    cache = {side: path.with_name(f"{path.name}.cache") for side, path in sides.items()}
    if options.pretrain and pretrain_faces is not None:
        sides = dict.fromkeys(sides, pretrain_faces)
        cache = dict.fromkeys(sides, workspace.folder / "pretrain.cache")
    for path in sides.values():
        list_faces(path)  # refuse before a model is made
    if pretrain_faces is not None and not options.pretrain:
        raise ConfigError("--pretrain-faces is only read with --pretrain; add it, or leave the faces out")
    if backup is not None:
        if is_torchrun():
            raise ConfigError("--backup goes back for one process; run it alone first, then start the others")
        go_back(folder, backup)
        yield Message("train", f"back to iteration {load_state(folder).step} of backup {backup:02}")
    if leading_process():
        drop_half_saved(folder)
        sweep(folder)
        sweep(folder / "previews")
    began = time.monotonic()
    before = workspace.done("train").get("seconds", 0.0)
    judge = None if options.pretrain else make_judge(sides["src"], sides["dst"])
    try:
        yield from train_model(
            folder, sides["src"], sides["dst"], model, options, cache=(cache["src"], cache["dst"]), judge=judge
        )
    finally:
        if leading_process() and has_checkpoint(folder):
            workspace.note(
                "train",
                name=name,
                options=options.model_dump(mode="json", exclude_none=True),
                iterations=load_state(folder).step,
                seconds=round(before + time.monotonic() - began, 1),
            )
