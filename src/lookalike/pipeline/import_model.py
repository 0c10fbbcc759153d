"""A model of DeepFaceLab 2 as one of a workspace's own, that training and merging go on with."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lookalike.errors import CheckpointError, ConfigError, ForeignFileError
from lookalike.interchange.dfl_folder import DflModel, find_dfl_model
from lookalike.interchange.dfl_models import DflModelData, read_model_data
from lookalike.interchange.dfl_network import read_moments, read_parts, read_xseg
from lookalike.interchange.dfl_sizes import FACE_TYPES, face_type_of, sizes_of
from lookalike.interchange.refusals import shown_path
from lookalike.models.build import build_model
from lookalike.models.checkpoint import TrainState, check_whole, has_checkpoint, save_checkpoint
from lookalike.models.config import ModelConfig, SaehdConfig
from lookalike.models.dfl_xseg import save_dfl_xseg
from lookalike.options import FaceType, shown
from lookalike.pipeline.dfl_options import options_here
from lookalike.pipeline.mask_networks import NAME as MASK_MODEL
from lookalike.pipeline.workspace import Workspace
from lookalike.training.config import TrainConfig
from lookalike.training.log import append_lines
from lookalike.types import Event, Message, Progress

XSEG_FILE: Final = "xseg.safetensors"
"""An imported mask network, in its folder under model/."""
_STEP: Final = "import"
_NAME: Final = re.compile(r"[^\W_][\w.+-]{0,79}")
_RESERVED: Final = {MASK_MODEL}


@dataclass(frozen=True, slots=True)
class _Read:
    """A swap model's data, its sizes here, and its options here."""

    data: DflModelData
    config: ModelConfig
    options: TrainConfig
    left: list[str]


def import_model(
    workspace: Workspace,
    path: Path,
    *,
    name: str | None = None,
    model_name: str | None = None,
    face_type: FaceType | None = None,
) -> Iterator[Event]:
    """Read a model of DeepFaceLab 2 into a workspace; nothing in its files is run.

    Args:
        path: its folder, or one of its files.
        name: of the model in the workspace; its name there, or its architecture, if left out.
        model_name: which of the folder's models, by the name that its owner gave it.
        face_type: in the place of the one that its options say.

    Raises:
        ForeignFileError: a file is missing, damaged, hostile, or of another network.
        CheckpointError: the workspace has a model of that name. ConfigError: the name cannot be a folder's, or
            the face type is none of DeepFaceLab 2's.
        StorageError: the disk is full.
    """
    if face_type is not None and face_type not in FACE_TYPES.values():
        raise ConfigError(f"--face-type is one of {', '.join(FACE_TYPES.values())} for such a model; got {face_type}")
    model = find_dfl_model(path, model_name)
    name = _free_name(workspace, model, name)
    if model.kind == "XSeg":
        yield from _import_xseg(workspace, model, name, face_type)
    else:
        yield from _import_swap(workspace, model, name, face_type)


def _import_swap(workspace: Workspace, model: DflModel, name: str, face_type: FaceType | None) -> Iterator[Event]:
    read = _read_data(model, face_type)
    config = read.config
    parts = read_parts(model.files, config)
    weights: dict[str, Any] = {}
    missing: list[str] = []
    for done, part in enumerate(parts, 1):
        weights |= part.weights
        missing += part.missing
        yield Progress(_STEP, done, 0, "files", model.title)
    begun = build_model(config).state_dict() if missing else {}
    weights = {key: value for key, value in begun.items() if key not in weights} | weights
    beside = {}
    remembered = "begins anew, as there is no file of it"
    if "src_dst_opt" in model.files:
        moments = read_moments(model.files["src_dst_opt"], config)
        remembered = "begins anew, as AdaBelief, since RMSprop is not here" if moments is None else "is taken over"
        beside = moments or {}
    state = TrainState(model=config, options=read.options.model_dump(mode="json"), step=read.data.iteration)
    folder = workspace.model(name)
    _keep_losses(folder, read.data)
    save_checkpoint(folder, weights, beside, state)
    archi = config.archi if isinstance(config, SaehdConfig) else "amp"
    yield Message(
        _STEP,
        f"{shown(model.title)} is the model {name} now: {archi}, {config.resolution} px, {config.face_type} face, "
        f"iteration {read.data.iteration}",
    )
    yield from _told(model, read, missing, remembered)
    yield Message(_STEP, f"go on with: lookalike train {workspace.folder} --name {name}; or merge with --name {name}")


def _told(model: DflModel, read: _Read, missing: list[str], remembered: str) -> Iterator[Event]:
    """What its owner must know, a line each."""
    yield Message(_STEP, f"the optimizer's memory {remembered}")
    if missing:
        yield Message(_STEP, f"{len(missing)} layers are not in its files ({missing[0]} ...) and begin anew; train it")
    fresh = [word for word, part in (("patches", "GAN"), ("codes", "code_discriminator")) if part in model.files]
    if fresh:
        yield Message(_STEP, f"the discriminator of {' and '.join(fresh)} has another shape here and begins anew")
    if read.options.pretrain:
        yield Message(_STEP, "it is being pretrained; go on with --pretrain-faces DIR, or end that with --no-pretrain")
    if read.left:
        yield Message(_STEP, f"options without a counterpart, left out: {shown(', '.join(read.left))}")


def _read_data(model: DflModel, face_type: FaceType | None) -> _Read:
    if "data" not in model.files:
        folder = next(iter(model.files.values())).parent
        raise ForeignFileError(
            f"{shown_path(folder)} lacks {shown(model.title)}_data.dat, which says the sizes; copy it, too"
        )
    path = model.files["data"]
    data = read_model_data(path)
    config = sizes_of(model.kind, data.options, str(path), face_type)
    return _Read(data, config, *options_here(config, data.options))


def _keep_losses(folder: Path, data: DflModelData) -> None:
    """Go on with its curve of losses: the last of them belongs to the last iteration."""
    pairs = data.loss_history[-data.iteration :] if data.iteration else []
    first = data.iteration - len(pairs) + 1
    rows: list[dict[str, float]] = [
        {"iteration": first + number, "loss_src": pair[0], "loss_dst": pair[1]}
        for number, pair in enumerate(pairs)
        if len(pair) == 2
    ]
    (folder / "log.jsonl").unlink(missing_ok=True)
    append_lines(folder / "log.jsonl", rows)


def _import_xseg(workspace: Workspace, model: DflModel, name: str, face_type: FaceType | None) -> Iterator[Event]:
    if "256" not in model.files:
        folder = next(iter(model.files.values())).parent
        raise ForeignFileError(f"{shown_path(folder)} lacks XSeg_256.npy; copy it, too")
    weights = read_xseg(model.files["256"])
    iteration = 0
    if "data" in model.files:
        data = read_model_data(model.files["data"])
        iteration = data.iteration
        face_type = face_type or face_type_of(data.options.get("face_type"), str(model.files["data"]))
    seen: FaceType = face_type or "whole"
    path = workspace.model(name) / XSEG_FILE
    save_dfl_xseg(path, weights, {"face_type": seen, "step": str(iteration)})
    yield Message(_STEP, f"XSeg is the mask network {path} now: {seen} face, iteration {iteration}")
    how = f"lookalike mask apply {workspace.folder} dst --network {path}"
    yield Message(_STEP, f"use it with: {how}; or merge with --mask-network {path}")


def _free_name(workspace: Workspace, model: DflModel, given: str | None) -> str:
    """The folder under model/ that it shall have."""
    if given is not None and (not _NAME.fullmatch(given) or given in _RESERVED):
        raise ConfigError(f"--name is a folder under model/: letters, digits, . _ + -; got {shown(given)}")
    kind = "dfl-xseg" if model.kind == "XSeg" else model.kind.lower()
    usable = _NAME.fullmatch(model.user) and model.user not in _RESERVED
    name = given or (model.user if usable else kind)
    folder = workspace.model(name)
    check_whole(folder)
    if has_checkpoint(folder) or (folder / XSEG_FILE).exists():
        raise CheckpointError(f"{workspace.folder} has a model {name}; give the imported one another --name")
    return name
