"""The training of a mask network: examples in, weights out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from lookalike.masks.config import MaskTrainConfig
from lookalike.masks.examples import Example, make_example
from lookalike.masks.labelled import LabelledFace
from lookalike.models.device import Compute
from lookalike.models.xseg import SIDE, Xseg
from lookalike.parallel import ahead, ordered_map

_WORKERS = 2
_WARMUP = 50
_NOTED = 25
"""Steps over which the loss that is told is averaged."""


@dataclass(frozen=True, slots=True)
class Step:
    """What is told of a training."""

    number: int
    loss: float
    """Mean of the last steps."""
    weights: dict[str, Tensor]
    """The average so far; it changes with the next step."""


def fit(
    network: Xseg,
    faces: Sequence[LabelledFace],
    strangers: Sequence[LabelledFace],
    options: MaskTrainConfig,
    compute: Compute,
    odds: NDArray[np.float64] | None = None,
) -> Iterator[Step]:
    """Train a network for options.iterations steps; at the end it holds the average of its weights, on the processor.

    Args:
        network: with the weights to begin with.
        faces: what it learns from.
        strangers: faces that lend textures to what is drawn before others; may be the same.
        options: of this run.
        compute: where, and how exactly.
        odds: (N,) how often each face is drawn; all alike if left out.
    """
    device = compute.device
    network.to(device).to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    optimizer = torch.optim.AdamW(network.parameters(), options.learning_rate, betas=(0.9, 0.99), weight_decay=0.02)
    average = {name: value.detach().clone().float() for name, value in network.state_dict().items()}
    losses: list[float] = []
    batches = ahead(_batches(faces, strangers, options, odds), 4)
    for number, (seen, label) in zip(range(1, options.iterations + 1), batches, strict=False):
        share = min(1.0, number / _WARMUP) * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * number / options.iterations)))
        optimizer.param_groups[0]["lr"] = options.learning_rate * share
        pictures = seen.to(device, memory_format=torch.channels_last).float() / 255
        with compute.autocast():
            logits = network(pictures)
        loss = mask_loss(logits.float(), label.to(device).float() / 255)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        decay = min(options.ema, number / (number + 10))
        for name, value in network.state_dict().items():
            average[name].lerp_(value.float(), 1 - decay)
        losses.append(loss.item())
        yield Step(number, float(np.mean(losses[-_NOTED:])), average)
    network.load_state_dict(average)
    network.cpu().eval()


def mask_loss(logits: Tensor, label: Tensor) -> Tensor:
    """Cross entropy, and one minus the overlap by Dice, of (B, 1, S, S) logits and shares.

    Source: Milletari et al., 3DV 2016, for Dice's coefficient as a loss.
    """
    said = torch.sigmoid(logits)
    both = (said * label).sum((1, 2, 3))
    dice = 1 - (2 * both + 1) / (said.sum((1, 2, 3)) + label.sum((1, 2, 3)) + 1)
    return F.binary_cross_entropy_with_logits(logits, label) + 0.5 * dice.mean()


def stacked(examples: Sequence[Example]) -> tuple[Tensor, Tensor]:
    """(B, 4, S, S) and (B, 1, S, S) uint8."""
    seen = np.stack([np.dstack([one.picture, one.outline]) for one in examples])
    label = np.stack([one.label for one in examples])
    return torch.from_numpy(seen).permute(0, 3, 1, 2), torch.from_numpy(label)[:, None]


def _batches(
    faces: Sequence[LabelledFace],
    strangers: Sequence[LabelledFace],
    options: MaskTrainConfig,
    odds: NDArray[np.float64] | None,
) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless batches from a pool of examples, some of which are replaced after each; all by the seed."""
    chances = None if odds is None else odds / odds.sum()

    def example(number: int) -> Example:
        rng = np.random.default_rng((options.seed, number))
        face = faces[int(rng.choice(len(faces), p=chances))]
        return make_example(face, strangers[int(rng.integers(len(strangers)))], SIDE, rng, options.covered)

    fresh = ordered_map(example, _count(), _WORKERS)
    pool = [next(fresh) for _ in range(options.pool)]
    rng = np.random.default_rng(options.seed)
    oldest = 0
    new = max(1, options.batch_size // options.reuse)
    while True:
        chosen = rng.choice(len(pool), min(options.batch_size, len(pool)), replace=False)
        yield stacked([pool[int(k)] for k in chosen])
        for _ in range(new):
            pool[oldest] = next(fresh)
            oldest = (oldest + 1) % len(pool)


def _count() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1
