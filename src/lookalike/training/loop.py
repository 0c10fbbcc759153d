"""Training: batches in, a checkpoint out, events along the way."""

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from lookalike.errors import CheckpointError
from lookalike.models.build import build_model, parameter_count
from lookalike.models.checkpoint import (
    TrainState,
    has_checkpoint,
    load_checkpoint,
    restore_model,
    restore_optimizer,
    save_checkpoint,
)
from lookalike.models.config import ModelConfig
from lookalike.models.device import Compute, choose_compute
from lookalike.models.df import DF
from lookalike.training.augment import Batch, draw_batch, step_generator
from lookalike.training.config import TrainConfig
from lookalike.training.data import Person, load_person
from lookalike.training.log import TrainLog
from lookalike.training.losses import mask_loss, picture_loss
from lookalike.training.preview import preview_grid, write_preview
from lookalike.types import Event, Message, Progress

_BETAS = (0.9, 0.99)
"""Decay of Adam's moments. With the (0.5, 0.999) of DeepFaceLab the loss after 200 steps was 7 to 10 % higher."""
_FINAL_RATE = 0.05
_MASK_WEIGHT = 3.0
_OUTSIDE = 0.1
"""How much the picture outside the face counts: enough that the mask's edge has something to show."""
_EVENT_SECONDS = 1.0


@dataclass(slots=True, eq=False)
class Session:
    """A model in training."""

    model: DF
    optimizer: torch.optim.Optimizer
    compute: Compute
    state: TrainState


def train(folder: Path, src: Path, dst: Path, model_config: ModelConfig | None, config: TrainConfig) -> Iterator[Event]:
    """Train the model in `folder` on two facesets, from where it stands, until a limit of `config` is reached.

    Args:
        folder: of the model; made if it is not there.
        src, dst: facesets.
        model_config: sizes of a new model; of one that exists they must be the same, or None to take them as they are.
        config: of this run.

    Raises:
        CheckpointError: the model in `folder` is of other sizes, or unreadable.
        FacesetError: a faceset is missing or empty.
        StorageError: the disk is full; the last checkpoint stays.
    """
    session = open_session(folder, model_config, config)
    if session.state.step:
        yield Message("train", f"going on from iteration {session.state.step} of {folder.name}")
    if _progress(session.state, config) >= 1:
        yield Message("train", "the limit is reached already; nothing to train")
        return
    size, device = session.state.model, session.compute.device
    people = [load_person(path, size.resolution, size.face_type, device, size.geometry) for path in (src, dst)]
    yield Message(
        "train",
        f"{parameter_count(session.model) / 1e6:.1f} M parameters on {session.compute}, "
        f"{len(people[0])} src and {len(people[1])} dst faces",
    )
    yield from _run(session, folder, people[0], people[1], config)


def open_session(folder: Path, model_config: ModelConfig | None, config: TrainConfig) -> Session:
    """Load the model of `folder` with its optimizer, or begin a new one."""
    checkpoint = load_checkpoint(folder) if has_checkpoint(folder) else None
    if checkpoint and model_config and checkpoint.state.model != model_config:
        was, now = checkpoint.state.model.model_dump(), model_config.model_dump()
        other = ", ".join(f"{key} {was[key]} (asked for: {now[key]})" for key in was if was[key] != now[key])
        raise CheckpointError(f"the model in {folder} has {other}; drop these options or name another model")
    compute = choose_compute(config.device, checkpoint.state.precision if checkpoint else None)
    if checkpoint:
        model, state = restore_model(checkpoint, compute.device), checkpoint.state
    else:
        size = model_config or ModelConfig()
        state = TrainState(model=size, precision=compute.precision, seed=config.seed)
        model = build_model(size, config.seed).to(compute.device)
    fused = compute.device.type in ("cpu", "cuda")
    optimizer = torch.optim.Adam(model.parameters(), lr=config.learning_rate, betas=_BETAS, fused=fused)
    if checkpoint:
        restore_optimizer(optimizer, model, checkpoint.moments)
    return Session(model, optimizer, compute, state)


def _run(session: Session, folder: Path, src: Person, dst: Person, config: TrainConfig) -> Iterator[Event]:
    log = TrainLog(folder / "log.jsonl", session.state.step)
    clock = last_event = last_save = last_preview = time.monotonic()
    event_step = session.state.step
    session.model.train()

    def save() -> None:
        log.flush()
        save_checkpoint(folder, session.model, session.optimizer, session.state)

    try:
        while (progress := _progress(session.state, config)) < 1:
            state = session.state
            batches = _batches(state, src, dst, config)
            losses = train_step(session, *batches, _rate(state.step, progress, config), config)
            now = time.monotonic()
            session.state = state.model_copy(update={"step": state.step + 1, "seconds": state.seconds + now - clock})
            clock = now
            log.add(session.state.step, losses)
            if now - last_event >= _EVENT_SECONDS:
                yield _event(session.state, config, log.flush(), (session.state.step - event_step) / (now - last_event))
                last_event, event_step = now, session.state.step
            if now - last_preview >= config.preview_seconds:
                _preview(session, folder, src, dst)
                last_preview = now
            if now - last_save >= config.save_seconds:
                save()
                last_save = now
    except GeneratorExit:
        # The caller stops between two steps; anything else may have cut a step in half, and is not saved.
        save()
        raise
    save()
    path = _preview(session, folder, src, dst)
    yield Message("train", f"{session.state.step} iterations in {session.state.seconds / 60:.1f} min; preview {path}")


def train_step(session: Session, src: Batch, dst: Batch, rate: float, config: TrainConfig) -> Tensor:
    """One update of all weights; (4,) losses of src, dst, src mask and dst mask, still on the device."""
    with session.compute.autocast():
        src_drawn, dst_drawn = session.model(src.warped, src.points, dst.warped, dst.points)
    losses = torch.stack(
        [
            picture_loss(src_drawn.picture, src.target, _weight(src, config)),
            picture_loss(dst_drawn.picture, dst.target, _weight(dst, config)),
            mask_loss(src_drawn.mask, src.mask),
            mask_loss(dst_drawn.mask, dst.mask),
        ]
    )
    session.optimizer.zero_grad(set_to_none=True)
    (losses[0] + losses[1] + _MASK_WEIGHT * (losses[2] + losses[3])).backward()  # type: ignore[no-untyped-call]
    if config.clip_gradient:
        torch.nn.utils.clip_grad_norm_(session.model.parameters(), config.clip_gradient)
    for group in session.optimizer.param_groups:
        group["lr"] = rate
    session.optimizer.step()
    return losses.detach()


def _batches(state: TrainState, src: Person, dst: Person, config: TrainConfig) -> tuple[Batch, Batch]:
    """The batches of a step, which depend on its number and the seed alone."""
    draw = partial(
        draw_batch,
        count=config.batch_size,
        resolution=state.model.resolution,
        warp=config.random_warp,
        flip=config.random_flip,
    )
    return (
        draw(src, generator=step_generator(state.seed, state.step, "src"), colors_of=dst if config.random_ct else None),
        draw(dst, generator=step_generator(state.seed, state.step, "dst")),
    )


def _weight(batch: Batch, config: TrainConfig) -> Tensor:
    """(B, 1, R, R): how much each pixel counts."""
    return _OUTSIDE + (1 - _OUTSIDE) * batch.mask + config.eyes_mouth * batch.features * batch.mask


def _progress(state: TrainState, config: TrainConfig) -> float:
    """Share of the run that is done, by the limit that is nearer; 0 without a limit."""
    by_step = state.step / config.iterations if config.iterations else 0.0
    by_time = state.seconds / (60 * config.minutes) if config.minutes else 0.0
    return max(by_step, by_time)


def _rate(step: int, progress: float, config: TrainConfig) -> float:
    """Warm-up, then a cosine toward the limit; constant when there is none."""
    warm = min(1.0, (step + 1) / (config.warmup + 1))
    limited = bool(config.iterations or config.minutes)
    fall = _FINAL_RATE + (1 - _FINAL_RATE) * (1 + math.cos(math.pi * progress)) / 2 if limited else 1.0
    return config.learning_rate * warm * fall


def _preview(session: Session, folder: Path, src: Person, dst: Person) -> Path:
    session.model.eval()
    grid = preview_grid(session.model, src, dst, session.state.model.resolution, session.compute)
    session.model.train()
    return write_preview(folder, session.state.step, grid)


def _event(state: TrainState, config: TrainConfig, losses: dict[str, float], speed: float) -> Progress:
    note = f"iteration {state.step}, {speed:.2f}/s, src {losses['loss_src']:.3f}, dst {losses['loss_dst']:.3f}"
    progress = _progress(state, config)
    if progress:
        left = round(state.seconds * (1 - progress) / progress)
        note += f", {left // 3600}:{left // 60 % 60:02}:{left % 60:02} left"
    if config.iterations and state.step / config.iterations >= progress:
        return Progress("train", state.step, config.iterations, "iterations", note)
    return Progress("train", state.seconds, 60 * config.minutes, "s", note)
