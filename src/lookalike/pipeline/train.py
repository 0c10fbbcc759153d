"""Step 2: a model out of the two facesets of a workspace."""

import json
import time
from collections.abc import Iterator

from lookalike.faceset import list_faces
from lookalike.models.checkpoint import has_checkpoint
from lookalike.models.config import ModelConfig
from lookalike.pipeline.workspace import Workspace
from lookalike.training.config import TrainConfig
from lookalike.training.loop import train as train_model
from lookalike.types import Event

MODEL_NAME = "df"


def has_model(workspace: Workspace, name: str = MODEL_NAME) -> bool:
    """Was the model `name` trained in this workspace?"""
    return has_checkpoint(workspace.model(name))


def train(
    workspace: Workspace, model: ModelConfig | None, config: TrainConfig, *, name: str = MODEL_NAME
) -> Iterator[Event]:
    """Train the model `name` of a workspace until a limit of `config`; goes on from its last checkpoint.

    Args:
        model: sizes of a new model; None takes those of the one that is there.

    Raises:
        FacesetError: extract was not run, or all faces were removed.
        CheckpointError: the model that is there has other sizes.
    """
    src, dst = workspace.aligned("src"), workspace.aligned("dst")
    for folder in (src, dst):
        list_faces(folder)  # refuse before a model is made
    began = time.monotonic()
    before = workspace.done("train").get("seconds", 0.0)
    try:
        yield from train_model(workspace.model(name), src, dst, model, config)
    finally:
        state = workspace.model(name) / "state.json"
        if state.is_file():
            workspace.note(
                "train",
                name=name,
                options=config.model_dump(mode="json", exclude_none=True),
                iterations=json.loads(state.read_text())["step"],
                seconds=round(before + time.monotonic() - began, 1),
            )
