"""The pictures by which a person judges a training, and figures of faces that it does not know."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from lookalike.files import replacing
from lookalike.models.autoencoder import Faces
from lookalike.training.augment import Batch, plain_batch
from lookalike.training.data import Person
from lookalike.training.recipes import drawn_mask_loss, redraw_loss
from lookalike.training.session import Session

_ROWS = 6
_MOST_JUDGED = 8
"""Swaps whose identity is measured at a time; one costs 80 ms."""

Judge = Callable[[NDArray[np.uint8], NDArray[np.float32]], dict[str, float]]
"""Given (N, R, R, 3) swaps and the (N, P, 2) points of their faces in [-1, 1]: figures by name."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Faces that stay the same through a training."""

    src: Batch
    dst: Batch


def spread_sample(src: Person, dst: Person, resolution: int, device: torch.device) -> Sample:
    """Faces spread evenly over both facesets, for previews."""
    rows = min(_ROWS, len(src), len(dst))
    picks = [torch.linspace(0, len(person) - 1, rows).round().long() for person in (src, dst)]
    return Sample(*(plain_batch(p, index, resolution, device) for p, index in zip((src, dst), picks, strict=True)))


@torch.inference_mode()
def preview_grids(session: Session, sample: Sample) -> dict[str, NDArray[np.uint8]]:
    """Grids by name, (H, W, 3): a row a face; src, src redrawn, dst, dst redrawn, and last the swap.

    "preview" shows all of the pictures; "preview_masked" the faces alone, if the network learns masks: src and dst by
    the masks that they have, dst redrawn by dst's learned mask, and the swap by both learned masks, as merging does.
    """
    src, dst = sample.src, sample.dst
    with session.compute.autocast():
        drawn = session.model(src.faces, dst.faces)
        swap, seen = session.model.swap(dst.faces)
    columns = [src.target, drawn.src.picture, dst.target, drawn.dst.picture, swap.picture]
    grids = {"preview": _grid(columns)}
    if seen is not None and swap.mask is not None:
        columns = [
            src.target * src.mask,
            drawn.src.picture,
            dst.target * dst.mask,
            drawn.dst.picture * seen,
            swap.picture * swap.mask * seen,
        ]
        grids["preview_masked"] = _grid(columns)
    return grids


def save_picture(path: Path, picture: NDArray[np.uint8]) -> Path:
    """Write an (H, W, 3) picture as JPEG, whole or not at all."""
    with replacing(path) as temporary:
        Image.fromarray(picture).save(temporary, quality=92, subsampling=0)
    return path


@torch.inference_mode()
def validate(session: Session, held: Sample, judge: Judge | None) -> dict[str, float]:
    """Losses of faces that are held out, as they are, and what `judge` says of their swaps."""
    options, kind = session.options, session.state.model.model
    with session.compute.autocast():
        drawn = session.model(held.src.faces, held.dst.faces)
    figures = {
        "loss_src": redraw_loss(kind, drawn.src, held.src, options).item(),
        "loss_dst": redraw_loss(kind, drawn.dst, held.dst, options).item(),
        "mask_src": drawn_mask_loss(drawn.src, held.src).item(),
        "mask_dst": drawn_mask_loss(drawn.dst, held.dst).item(),
    }
    if judge is None:
        return figures
    every = -(-len(held.dst.target) // _MOST_JUDGED)
    some = Faces(held.dst.warped[::every], held.dst.points[::every])
    with session.compute.autocast():
        swap, _ = session.model.swap(some)
    return figures | judge(_pixels(swap.picture), some.points.cpu().numpy())


def _grid(columns: list[Tensor]) -> NDArray[np.uint8]:
    whole = torch.cat([torch.cat(list(column), 1) for column in columns], 2)
    return np.asarray(_pixels(whole[None])[0])


def _pixels(pictures: Tensor) -> NDArray[np.uint8]:
    """(N, H, W, 3) of (N, 3, H, W)."""
    return np.asarray((pictures * 255).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy())
