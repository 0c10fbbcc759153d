"""A model on disk: weights, what training needs beside them, and where it stands; changed all together or not at all.

The new files are written beside the old ones first, the state last: once `state.new.json` is there the change is
decided, and whoever opens the folder next finishes the renames. Before that moment the old checkpoint counts.
"""

import errno
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import BeforeValidator, Field, SerializeAsAny, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from lookalike.errors import CheckpointError
from lookalike.files import discard, storage_errors, write_bytes
from lookalike.models.autoencoder import Autoencoder
from lookalike.models.build import build_model, shapes_of
from lookalike.models.config import ModelConfig, model_config
from lookalike.models.device import Precision
from lookalike.options import Options, first_problem, format_of, shown
from lookalike.untrusted import read_text

FORMAT = 2
_STATE = "state.json"
PARTS = ("model.safetensors", "optimizer.safetensors", _STATE)
"""Files of a checkpoint."""
DRAWING_PARTS = (PARTS[0], PARTS[2])
"""Those that drawing needs."""


def _sizes(value: object) -> object:
    """The sizes of whatever architecture a parsed file names."""
    return model_config(value) if isinstance(value, dict) else value


class TrainState(Options):
    """Where training stands; `state.json`."""

    format: int = FORMAT
    model: Annotated[SerializeAsAny[ModelConfig], BeforeValidator(_sizes)]
    options: dict[str, Any] = Field(default_factory=dict)
    """Those of the last run, which the next one goes on with."""
    step: Annotated[int, Field(ge=0, lt=1 << 53)] = 0
    """Optimizer updates so far."""
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """Time spent in training so far."""
    precision: Precision = "float32"
    """Chosen when training began, and kept, so that a resumed run computes the same."""
    seed: int = 0
    rollbacks: int = 0
    """How often the model collapsed and was put back; the draws that follow are others each time."""


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A model read from disk."""

    state: TrainState
    weights: dict[str, Tensor]
    """Those to draw with: averaged, if training averages."""
    beside: dict[str, Tensor]
    """What training needs beside them: by `<moment>/<parameter>` the optimizer's, and other things by other names."""


def save_checkpoint(
    folder: Path, weights: Mapping[str, Tensor], beside: Mapping[str, Tensor], state: TrainState
) -> None:
    """Replace the checkpoint in `folder`.

    Raises:
        StorageError: the disk is full; the old checkpoint stays.
    """
    new = {part: folder / part.replace(".", ".new.") for part in PARTS}
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        finish_renames(folder)
        try:
            save_file(_on_host(weights), new[PARTS[0]])
            save_file(_on_host(beside), new[PARTS[1]])
        except SafetensorError as exc:
            raise _storage_error(exc, folder) from exc
        for part in PARTS[:2]:  # on the disk before the state says so: a power cut must not find it half there
            with new[part].open("rb+") as handle:
                os.fsync(handle.fileno())
        write_bytes(new[_STATE], (state.model_dump_json(indent=2) + "\n").encode())
        finish_renames(folder)


def has_checkpoint(folder: Path) -> bool:
    """Is there a model in `folder`?"""
    return (folder / _STATE).is_file() or (folder / _STATE.replace(".", ".new.")).is_file()


def check_whole(folder: Path) -> None:
    """Refuse a folder that has weights and no `state.json`: a new model begun there would write over them.

    Raises:
        CheckpointError: so it is.
    """
    if not has_checkpoint(folder) and (folder / PARTS[0]).exists():
        raise CheckpointError(
            f"the model in {folder} has lost its {_STATE}; put it or a backup back (train --backup NUMBER), "
            f"or delete {PARTS[0]} to train anew"
        )


def load_state(folder: Path) -> TrainState:
    """Read where the model in `folder` stands, without its weights.

    Raises:
        CheckpointError: none there, damaged, or of a newer format.
    """
    if not has_checkpoint(folder):
        check_whole(folder)
        raise CheckpointError(f"no model in {folder}; run train first")
    finish_renames(folder)
    try:
        value = json.loads(read_text(folder / _STATE))
        if format_of(value) > FORMAT:
            raise CheckpointError(f"the model in {folder} has format {format_of(value)}; update Lookalike to read it")
        return TrainState.model_validate(upgrade_v1_to_v2(value) if format_of(value) == 1 else value)
    except (
        FileNotFoundError,
        ValueError,
        RecursionError,
    ) as exc:  # other errors of the disk do not mean that the model is damaged
        raise _unreadable(folder, exc) from exc


def load_checkpoint(folder: Path, *, to_train: bool = True) -> Checkpoint:
    """Read the checkpoint in `folder`; without what only training needs if it is not to be trained.

    Raises:
        CheckpointError: none there, damaged, or of a newer format.
    """
    state = load_state(folder)
    try:
        beside = load_file(folder / PARTS[1]) if to_train else {}
        weights = load_file(folder / PARTS[0])
        wrong = next((name for name, value in weights.items() if not value.isfinite().all()), None)
        if wrong is not None:  # such a model is never saved
            raise ValueError(f"{shown(wrong)} in {PARTS[0]} is not finite")
        return Checkpoint(state, weights, beside)
    except (FileNotFoundError, ValueError, SafetensorError) as exc:
        raise _unreadable(folder, exc) from exc


def restore_model(checkpoint: Checkpoint, device: torch.device) -> Autoencoder:
    """Build the network of a checkpoint with its weights, on `device`.

    Raises:
        CheckpointError: the weights do not fit the sizes in the state.
    """
    shapes = {name: value.shape for name, value in checkpoint.weights.items()}
    if shapes != shapes_of(checkpoint.state.model):  # before memory is taken for a network of the sizes claimed
        raise CheckpointError("the model's weights do not fit its state.json; put a backup back")
    model = build_model(checkpoint.state.model)
    model.load_state_dict(checkpoint.weights)
    return model.to(device)


def restore_optimizer(optimizer: torch.optim.Optimizer, model: torch.nn.Module, moments: Mapping[str, Tensor]) -> None:
    """Give an optimizer its moments back, each in its parameter's memory layout."""
    for name, parameter in model.named_parameters():
        found = {key.split("/", 1)[0]: moments[key] for key in moments if key.split("/", 1)[1] == name}
        if found:
            optimizer.state[parameter] = {
                key: value.clone() if key == "step" else torch.empty_like(parameter).copy_(value)
                for key, value in found.items()
            }


def moments_of(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """An optimizer's memory by `<moment>/<parameter>`; empty before the first step."""
    return {
        f"{key}/{name}": value
        for name, parameter in model.named_parameters()
        for key, value in optimizer.state.get(parameter, {}).items()
    }


def upgrade_v1_to_v2(state: dict[str, Any]) -> dict[str, Any]:
    """Format 1 knew one architecture, now called guided, and kept no options."""
    model = dict(state["model"]) if isinstance(state.get("model"), dict) else {}
    model.pop("archi", None)
    for part in ("encoder", "decoder"):
        if f"{part}_dims" in model:
            model[f"{part[0]}_dims"] = model.pop(f"{part}_dims")
    return state | {"format": 2, "model": {"model": "guided", **model}}


def finish_renames(folder: Path) -> None:
    """Complete the change of a checkpoint that was decided."""
    if (folder / _STATE.replace(".", ".new.")).is_file():
        for part in PARTS:
            new = folder / part.replace(".", ".new.")
            if new.is_file():
                new.replace(folder / part)


def drop_half_saved(folder: Path) -> None:
    """Remove what a killed save left, unless it was decided; nobody may be saving there now."""
    finish_renames(folder)
    for part in PARTS:
        discard(folder / part.replace(".", ".new."))


def _on_host(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _unreadable(folder: Path, exc: Exception) -> CheckpointError:
    reason = first_problem(exc) if isinstance(exc, ValidationError) else exc
    return CheckpointError(
        f"the model in {folder} cannot be read ({reason}); put a backup back (train --backup NUMBER), "
        f"or delete {', '.join(PARTS)} to train anew"
    )


def _storage_error(exc: SafetensorError, folder: Path) -> OSError:
    """safetensors reports a full disk as text; give it back its number."""
    text = str(exc).lower()
    number = next((n for n in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) if f"os error {n})" in text), errno.EIO)
    return OSError(number, str(exc), str(folder))
