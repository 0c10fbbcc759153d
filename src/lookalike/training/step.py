"""One update of a model's weights."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from lookalike.models.autoencoder import Pass
from lookalike.training.adversary import discriminator_loss, judged_real, total_variation
from lookalike.training.augment import Batch
from lookalike.training.distributed import ALONE, Group, average
from lookalike.training.recipes import (
    MASK_WEIGHT,
    background_style,
    blur_out,
    drawn_mask_loss,
    face_style,
    redraw_loss,
    soft_mask,
)
from lookalike.training.session import Adversary, Session

_LONGEST_GRADIENT = 1.0
_BRIGHT_DOTS = 1e-6
"""Weight of the total variation beside a patch discriminator, which else leaves single bright pixels."""
_STEPS_APART = 1_000_003
"""Seeds of the optimizer's own draws: a prime, so that runs of neighbouring seeds share none for a million steps."""


def train_step(
    session: Session, pairs: Sequence[tuple[Batch, Batch]], rate: float, group: Group = ALONE
) -> dict[str, Tensor]:
    """Update all weights once.

    Args:
        session: the model.
        pairs: batches of src and dst; the gradients of several are averaged.
        rate: step size.
        group: the processes that train together.

    Returns:
        scalars by name, still on the device: loss_src, loss_dst, mask_src, mask_dst, contrast, and what else was
        trained for.
    """
    options, state = session.options, session.state
    session.optimizer.zero_grad(set_to_none=True)
    for adversary in session.adversaries.values():
        adversary.net.requires_grad_(False)
    rows, passes = [], []
    for number, (src, dst) in enumerate(pairs):
        if options.blur_out_mask:
            src, dst = (replace(batch, target=blur_out(batch.target, batch.mask)) for batch in (src, dst))
        drawn = _run(session, src, dst, number, group)
        losses, total = _losses(session, drawn, src, dst)
        (total / len(pairs)).backward()  # type: ignore[no-untyped-call]
        rows.append({name: loss.detach() for name, loss in losses.items()})
        if session.adversaries:
            passes.append((_detached(drawn), src))
    parameters = list(session.model.parameters())
    average((parameter.grad for parameter in parameters), group)
    if options.clipgrad:
        torch.nn.utils.clip_grad_norm_(parameters, _LONGEST_GRADIENT)
    _update(session.optimizer, rate, state.seed * _STEPS_APART + state.step)
    averaged = {name: torch.stack([row[name] for row in rows]).mean() for name in rows[0]}
    for name, adversary in session.adversaries.items():
        judged = [_judge(name, adversary, session, drawn, src) for drawn, src in passes]
        averaged[f"{name}_judge"] = _train_adversary(adversary, judged, session, group)
    if session.ema is not None:
        session.ema.update(state.step + 1)
    return averaged


def _run(session: Session, src: Batch, dst: Batch, number: int, group: Group) -> Pass:
    state, options = session.state, session.options
    draws: dict[str, Any] = {}
    if state.model.model == "amp":
        seed = state.seed * _STEPS_APART + state.step * 64 + number
        draws = {"generator": torch.Generator().manual_seed(seed), "share": (group.rank, group.world)}
    swap = bool(options.face_style_power or options.bg_style_power)
    with session.compute.autocast():
        return session.run(src.faces, dst.faces, swap=swap, **draws)


def _losses(session: Session, drawn: Pass, src: Batch, dst: Batch) -> tuple[dict[str, Tensor], Tensor]:
    """Everything that is trained for, by name, and its sum."""
    options, kind = session.options, session.state.model.model
    losses = {
        "loss_src": redraw_loss(kind, drawn.src, src, options),
        "loss_dst": redraw_loss(kind, drawn.dst, dst, options),
        "mask_src": drawn_mask_loss(drawn.src, src),
        "mask_dst": drawn_mask_loss(drawn.dst, dst),
    }
    total = losses["loss_src"] + losses["loss_dst"] + MASK_WEIGHT[kind] * (losses["mask_src"] + losses["mask_dst"])
    if drawn.swap is not None:
        losses["style"] = face_style(drawn.swap, dst, options) + background_style(drawn.swap, dst, options)
        total = total + losses["style"]
    if "gan" in session.adversaries:
        losses["gan"] = judged_real(_judgement(session, "gan", drawn.src.picture * soft_mask(src.mask)))
        total = total + options.gan_power * losses["gan"] + _BRIGHT_DOTS * total_variation(drawn.src.picture)
    if "code" in session.adversaries:
        losses["code"] = judged_real(_judgement(session, "code", drawn.dst_code))
        total = total + options.true_face_power * losses["code"]
    pairs = ((drawn.src.picture, src.target), (drawn.dst.picture, dst.target))
    losses["contrast"] = torch.stack([a.detach().std() / (b.std() + 1e-6) for a, b in pairs]).amin()
    return losses, total


def _judgement(session: Session, name: str, what: Tensor) -> Sequence[Tensor]:
    with session.compute.autocast():
        logits = session.adversaries[name].net(what)
    return logits if isinstance(logits, tuple) else (logits,)


def _judge(name: str, adversary: Adversary, session: Session, drawn: Pass, src: Batch) -> Tensor:
    """What a discriminator is trained for: to tell src's faces from their drawings, or src's code from dst's."""
    adversary.net.requires_grad_(True)
    if name == "gan":
        soft = soft_mask(src.mask)
        real, fake = src.target * soft, drawn.src.picture * soft
    else:
        real, fake = drawn.src_code, drawn.dst_code
    return discriminator_loss(_judgement(session, name, real), _judgement(session, name, fake))


def _train_adversary(adversary: Adversary, judged: list[Tensor], session: Session, group: Group) -> Tensor:
    adversary.optimizer.zero_grad(set_to_none=True)
    loss = torch.stack(judged).mean()
    loss.backward()  # type: ignore[no-untyped-call]
    average((parameter.grad for parameter in adversary.net.parameters()), group)
    state = session.state
    _update(adversary.optimizer, adversary.optimizer.param_groups[0]["lr"], state.seed * _STEPS_APART + state.step)
    return loss.detach()


def _update(optimizer: torch.optim.Optimizer, rate: float, seed: int) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate
    if hasattr(optimizer, "seed"):
        optimizer.seed = seed
    optimizer.step()


def _detached(drawn: Pass) -> Pass:
    """The pass without its way back."""
    src, dst = (d._replace(picture=d.picture.detach(), mask=None, smaller=()) for d in (drawn.src, drawn.dst))
    return Pass(src, dst, None, drawn.src_code.detach(), drawn.dst_code.detach())
