"""A small network of every architecture, and what tests do with it."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lookalike.landmarks import GUIDE_POINTS
from lookalike.models.autoencoder import Autoencoder, Faces
from lookalike.models.checkpoint import (
    TrainState,
    moments_of,
    save_checkpoint,
)
from lookalike.models.config import ModelConfig, model_config

CPU = torch.device("cpu")
TINY: dict[str, dict[str, Any]] = {
    "guided": {"model": "guided", "resolution": 32, "ae_dims": 16, "e_dims": 4, "d_dims": 2},
    "guided without guide": {
        "model": "guided", "resolution": 48, "ae_dims": 16, "e_dims": 4, "d_dims": 2, "guide": False,
    },
    "guided deep": {"model": "guided", "resolution": 32, "ae_dims": 16, "e_dims": 4, "d_dims": 2, "res_blocks": 2},
    **{
        f"sae {archi}{' with all' if extra else ''}": {
            "model": "sae", "archi": archi, "resolution": 48, "ae_dims": 16, "e_ch_dims": 2,
            "learn_mask": not extra, "multiscale_decoder": extra, "ca_weights": extra,
        }
        for archi in ("df", "liae")
        for extra in (False, True)
    },
    **{
        f"saehd {archi}{variant}": {
            "model": "saehd", "archi": archi + variant, "resolution": 32, "ae_dims": 16, "e_dims": 4, "d_dims": 4,
            "d_mask_dims": 4,
        }
        for archi in ("df", "liae")
        for variant in ("", "-u", "-d", "-t", "-c", "-ud", "-udtc")
    },
    "amp": {
        "model": "amp", "resolution": 64, "ae_dims": 16, "inter_dims": 16, "e_dims": 4, "d_dims": 4, "d_mask_dims": 4,
    },
}  # fmt: skip
"""A small network of every architecture and variant."""


def tiny(name: str = "guided", **sizes: int | bool | str) -> ModelConfig:
    return model_config({**TINY[name], **sizes})


def adam(model: Autoencoder) -> torch.optim.Optimizer:
    return torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.5, 0.999))


def inputs(resolution: int = 32) -> Faces:
    generator = torch.Generator().manual_seed(5)
    faces = torch.rand(2, 3, resolution, resolution, generator=generator)
    return Faces(faces, torch.rand(2, GUIDE_POINTS, 2, generator=generator) * 2 - 1)


def flipped(faces: Faces) -> Faces:
    return Faces(faces.picture.flip(0), faces.points.flip(0))


def update(model: Autoencoder, optimizer: torch.optim.Optimizer, steps: int = 1, resolution: int = 32) -> None:
    faces = inputs(resolution)
    for step in range(steps):
        drawn = model(faces, flipped(faces), generator=torch.Generator().manual_seed(step))
        loss = drawn.src.picture.mean() + drawn.dst.picture.square().mean()
        for mask in (drawn.src.mask, drawn.dst.mask):
            loss = loss if mask is None else loss + mask.square().mean()
        for small in (*drawn.src.smaller, *drawn.dst.smaller):
            loss = loss + small.square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


@torch.inference_mode()
def swapped(model: Autoencoder, resolution: int = 32) -> list[Tensor]:
    drawing, seen = model.eval().swap(inputs(resolution))
    return [tensor for tensor in (drawing.picture, *drawing.smaller, drawing.mask, seen) if tensor is not None]


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a)


def save(folder: Path, model: Autoencoder, optimizer: torch.optim.Optimizer, state: TrainState) -> None:
    save_checkpoint(folder, model.state_dict(), moments_of(model, optimizer), state)
