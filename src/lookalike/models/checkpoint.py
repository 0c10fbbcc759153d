"""A model on disk: weights, optimizer moments and where training stands; changed all together or not at all.

The new files are written beside the old ones first, the state last: once `state.new.json` is there the change is
decided, and whoever opens the folder next finishes the renames. Before that moment the old checkpoint counts.
"""

import errno
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from lookalike.errors import CheckpointError
from lookalike.files import storage_errors, write_bytes
from lookalike.models.build import build_model
from lookalike.models.config import ModelConfig
from lookalike.models.device import Precision
from lookalike.models.df import DF
from lookalike.options import Options, first_problem, format_of

FORMAT = 1
_STATE = "state.json"
_PARTS = ("model.safetensors", "optimizer.safetensors", _STATE)


class TrainState(Options):
    """Where training stands; `state.json`."""

    format: int = FORMAT
    model: ModelConfig
    step: int = 0
    """Optimizer updates so far."""
    seconds: float = 0.0
    """Time spent in training so far."""
    precision: Precision = "float32"
    """Chosen when training began, and kept, so that a resumed run computes the same."""
    seed: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """A model read from disk."""

    state: TrainState
    weights: dict[str, Tensor]
    moments: dict[str, Tensor]
    """Adam's moments by `<moment>/<parameter>`; empty before the first step."""


def save_checkpoint(folder: Path, model: torch.nn.Module, optimizer: torch.optim.Optimizer, state: TrainState) -> None:
    """Replace the checkpoint in `folder`.

    Raises:
        StorageError: the disk is full; the old checkpoint stays.
    """
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    new = {part: folder / part.replace(".", ".new.") for part in _PARTS}
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        _finish_renames(folder)
        try:
            save_file(weights, new[_PARTS[0]])
            save_file(_moments(model, optimizer), new[_PARTS[1]])
        except SafetensorError as exc:
            raise _storage_error(exc, folder) from exc
        for part in _PARTS[:2]:  # on the disk before the state says so: a power cut must not find it half there
            with new[part].open("rb+") as handle:
                os.fsync(handle.fileno())
        write_bytes(new[_STATE], (state.model_dump_json(indent=2) + "\n").encode())
        _finish_renames(folder)


def has_checkpoint(folder: Path) -> bool:
    """Is there a model in `folder`?"""
    return (folder / _STATE).is_file() or (folder / _STATE.replace(".", ".new.")).is_file()


def load_checkpoint(folder: Path) -> Checkpoint:
    """Read the checkpoint in `folder`.

    Raises:
        CheckpointError: none there, damaged, or of a newer format.
    """
    if not has_checkpoint(folder):
        raise CheckpointError(f"no model in {folder}; run train first")
    _finish_renames(folder)
    try:
        value = json.loads((folder / _STATE).read_text())
        if format_of(value) > FORMAT:
            raise CheckpointError(f"the model in {folder} has format {format_of(value)}; update Lookalike to read it")
        state = TrainState.model_validate(value)
        return Checkpoint(state, load_file(folder / _PARTS[0]), load_file(folder / _PARTS[1]))
    except (OSError, ValueError, SafetensorError) as exc:
        reason = first_problem(exc) if isinstance(exc, ValidationError) else exc
        raise CheckpointError(
            f"the model in {folder} cannot be read ({reason}); put a backup back or train anew"
        ) from exc


def restore_model(checkpoint: Checkpoint, device: torch.device) -> DF:
    """Build the network of a checkpoint with its weights, on `device`.

    Raises:
        CheckpointError: the weights do not fit the sizes in the state.
    """
    model = build_model(checkpoint.state.model)
    try:
        model.load_state_dict(checkpoint.weights)
    except RuntimeError as exc:
        raise CheckpointError("the model's weights do not fit its state.json; put a backup back") from exc
    return model.to(device)


def restore_optimizer(optimizer: torch.optim.Optimizer, model: torch.nn.Module, moments: Mapping[str, Tensor]) -> None:
    """Give an Adam its moments back, each in its parameter's memory layout."""
    for name, parameter in model.named_parameters():
        found = {key.split("/", 1)[0]: moments[key] for key in moments if key.split("/", 1)[1] == name}
        if found:
            optimizer.state[parameter] = {
                key: value.clone() if key == "step" else torch.empty_like(parameter).copy_(value)
                for key, value in found.items()
            }


def _moments(model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    return {
        f"{key}/{name}": value.detach().cpu().contiguous()
        for name, parameter in model.named_parameters()
        for key, value in optimizer.state.get(parameter, {}).items()
    }


def _finish_renames(folder: Path) -> None:
    if (folder / _STATE.replace(".", ".new.")).is_file():
        for part in _PARTS:
            new = folder / part.replace(".", ".new.")
            if new.is_file():
                new.replace(folder / part)


def _storage_error(exc: SafetensorError, folder: Path) -> OSError:
    """safetensors reports a full disk as text; give it back its number."""
    number = errno.ENOSPC if "os error 28" in str(exc).lower() else errno.EIO
    return OSError(number, str(exc), str(folder))
