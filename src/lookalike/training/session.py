"""A model in training, and how all of it is kept and taken up again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lookalike.errors import CheckpointError, ConfigError
from lookalike.landmarks import GUIDE_POINTS
from lookalike.models.autoencoder import Autoencoder, Df, Pass
from lookalike.models.blocks import initialise
from lookalike.models.build import begin, build_model
from lookalike.models.checkpoint import (
    Checkpoint,
    TrainState,
    check_whole,
    has_checkpoint,
    load_checkpoint,
    moments_of,
    restore_optimizer,
    save_checkpoint,
)
from lookalike.models.config import ModelConfig
from lookalike.models.device import Compute, choose_compute
from lookalike.models.discriminators import CodeDiscriminator, PatchDiscriminator
from lookalike.training.config import TrainConfig
from lookalike.training.distributed import ALONE, Group, same_precision
from lookalike.training.ema import Ema
from lookalike.training.optimizers import build_optimizer

_RAW = "raw/"
"""Before the names of the weights that are trained, where those to draw with are averages."""
_ADVERSARY_RATE = 5e-5


@dataclass(slots=True, eq=False)
class Adversary:
    """A discriminator and what trains it."""

    net: nn.Module
    optimizer: torch.optim.Optimizer


@dataclass(slots=True, eq=False)
class Session:
    """A model in training."""

    model: Autoencoder
    run: Callable[..., Pass]
    """The model, or what PyTorch compiled of it."""
    optimizer: torch.optim.Optimizer
    ema: Ema | None
    adversaries: dict[str, Adversary]
    """By "gan" and "code", those that are switched on."""
    compute: Compute
    state: TrainState
    options: TrainConfig


def open_session(
    folder: Path, model_config: ModelConfig | None, options: TrainConfig, device: str, group: Group = ALONE
) -> Session:
    """Load the model of `folder` with all that its training needs, or begin a new one.

    Args:
        folder: of the model.
        model_config: sizes of a new model; of one that exists they must be the same, or None to take them as they are.
        options: of this run.
        device: see choose_compute.
        group: the processes that train together.

    Raises:
        CheckpointError: the model has other sizes, or cannot be read. ConfigError: options that do not go together.
    """
    check_whole(folder)
    checkpoint = load_checkpoint(folder) if has_checkpoint(folder) else None
    if checkpoint and model_config and checkpoint.state.model != model_config:
        raise CheckpointError(_other_sizes(folder, checkpoint.state.model, model_config))
    compute = choose_compute(device, checkpoint.state.precision if checkpoint else None)
    compute = replace(compute, precision=same_precision(compute.precision, group, compute.device))
    if checkpoint:
        state = checkpoint.state
    elif model_config:
        state = TrainState(model=model_config, precision=compute.precision, seed=options.seed)
    else:
        raise CheckpointError(f"no model in {folder}, and no sizes for a new one")
    model = build_model(state.model, state.seed)
    if checkpoint:
        _load_weights(model, _raw_weights(checkpoint))
    model = model.to(compute.device)
    adversaries = _adversaries(model, state.model, options, compute.device)
    optimizer = build_optimizer(
        options.optimizer,
        model.parameters(),
        options.learning_rate,
        mode=options.optimizer_mode,
        dropout=options.lr_dropout,
    )
    ema = Ema(model, options.ema) if options.ema else None
    before = state.options
    session = Session(model, _runner(model, options), optimizer, ema, adversaries, compute, state, options)
    if checkpoint:
        if before.get("optimizer", "adam") == options.optimizer:
            restore_optimizer(optimizer, model, _moments(checkpoint.beside))
        if ema is not None:
            ema.load(checkpoint.weights)
        for name, adversary in adversaries.items():
            if all(before.get(key) == getattr(options, key) for key in ("gan_patch_size", "gan_dims")):
                _restore_adversary(adversary, _inside(checkpoint.beside, f"{name}/"))
        if before.get("pretrain") and not options.pretrain:
            _end_pretraining(session)
    session.state = state.model_copy(update={"options": options.model_dump(mode="json")})
    return session


def save_session(folder: Path, session: Session) -> None:
    """Replace the checkpoint in `folder`.

    Raises:
        StorageError: the disk is full; the old checkpoint stays.
    """
    raw = session.model.state_dict()
    beside = moments_of(session.model, session.optimizer)
    weights: Mapping[str, Tensor] = raw
    if session.ema is not None:
        weights = session.ema.state()
        beside |= {f"{_RAW}{name}": value for name, value in raw.items()}
    for name, adversary in session.adversaries.items():
        beside |= {f"{name}/weights/{key}": value for key, value in adversary.net.state_dict().items()}
        moments = moments_of(adversary.net, adversary.optimizer)
        beside |= {f"{name}/moments/{key}": value for key, value in moments.items()}
    save_checkpoint(folder, weights, beside, session.state)


def is_sound(session: Session) -> bool:
    """Whether all weights are finite numbers."""
    lengths = torch._foreach_norm(list(session.model.parameters()))
    return bool(torch.isfinite(torch.stack(lengths)).all())


def _runner(model: Autoencoder, options: TrainConfig) -> Callable[..., Pass]:
    if options.speed == "eager":
        return model
    graphs = options.speed == "cudagraphs"
    return torch.compile(model, mode="reduce-overhead" if graphs else "default", dynamic=False)


def _adversaries(
    model: Autoencoder, sizes: ModelConfig, options: TrainConfig, device: torch.device
) -> dict[str, Adversary]:
    nets: dict[str, nn.Module] = {}
    if options.gan_power:
        nets["gan"] = PatchDiscriminator(options.gan_patch_size or max(3, sizes.resolution // 8), options.gan_dims)
    if options.true_face_power:
        if not isinstance(model, Df):
            raise ConfigError(f"--true-face-power needs a df network; this one is {sizes.model} of another kind")
        nets["code"] = CodeDiscriminator(*_code_shape(model, sizes))
    found = {}
    for number, (name, net) in enumerate(nets.items()):
        initialise(net, torch.Generator().manual_seed(options.seed * 2 + number + 1))
        net = net.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        parameters = list(net.parameters())
        found[name] = Adversary(net, build_optimizer(options.optimizer, parameters, _ADVERSARY_RATE))
    return found


def _code_shape(model: Df, sizes: ModelConfig) -> tuple[int, int]:
    """Channels and side of a df network's code."""
    with torch.inference_mode():
        device = next(model.parameters()).device
        picture = torch.zeros(1, 3, sizes.resolution, sizes.resolution, device=device)
        code = model.inter(model.encoder(picture, torch.zeros(1, GUIDE_POINTS, 2, device=device)))
    return code.shape[1], code.shape[2]


def _end_pretraining(session: Session) -> None:
    """Give what ties the code to a person fresh weights, without a past."""
    generator = torch.Generator().manual_seed(session.state.seed + session.state.step)
    for name in session.model.begins_anew:
        part = session.model.get_submodule(name)
        begin(part.cpu(), session.state.model, generator)  # drawn on the processor, as the generator is
        part.to(session.compute.device)
        for parameter in part.parameters():
            session.optimizer.state.pop(parameter, None)
    if session.ema is not None:
        session.ema = Ema(session.model, session.options.ema)


def _restore_adversary(adversary: Adversary, beside: dict[str, Tensor]) -> None:
    """Give a discriminator its past back; without one, or one of other sizes, it begins anew."""
    weights = _inside(beside, "weights/")
    wanted = adversary.net.state_dict()
    if {k: v.shape for k, v in weights.items()} == {k: v.shape for k, v in wanted.items()}:
        adversary.net.load_state_dict(weights)
        restore_optimizer(adversary.optimizer, adversary.net, _inside(beside, "moments/"))


def _raw_weights(checkpoint: Checkpoint) -> dict[str, Tensor]:
    return _inside(checkpoint.beside, _RAW) or checkpoint.weights


def _load_weights(model: nn.Module, weights: dict[str, Tensor]) -> None:
    try:
        model.load_state_dict(weights)
    except RuntimeError as exc:
        raise CheckpointError("the model's weights do not fit its state.json; put a backup back") from exc


def _moments(beside: dict[str, Tensor]) -> dict[str, Tensor]:
    other = (_RAW, "gan/", "code/")
    return {key: value for key, value in beside.items() if not key.startswith(other)}


def _inside(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _other_sizes(folder: Path, has: ModelConfig, asked: ModelConfig) -> str:
    was: dict[str, Any] = has.model_dump()
    now: dict[str, Any] = asked.model_dump()
    other = ", ".join(
        f"{key} {was.get(key)} (asked for: {now.get(key)})" for key in {**was, **now} if was.get(key) != now.get(key)
    )
    return f"the model in {folder} has {other}; drop these options or name another model"
