"""Batches with random geometry and colour, made on the training device.

Distributions follow DeepFaceLab (2019): rotation within 10 degrees, scale and shift within 5 percent, and a warp whose
nodes lie on a grid of 2, 4 or 8 cells.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from lookalike.landmarks import GUIDE_MIRROR
from lookalike.training.data import Person

_ROTATION = math.radians(10)
_SCALE = 0.05
_SHIFT = 0.05
_WARP = 0.24 * 0.54
"""Standard deviation of a node, as a share of its cell."""
_CELLS = (2, 4, 8)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Faces of one person: what the network sees, and what it shall draw."""

    warped: Tensor
    """(B, 3, R, R) float32 in [0, 1]."""
    points: Tensor
    """(B, P, 2) float32 landmarks and irises of the target, in [-1, 1]."""
    target: Tensor
    """(B, 3, R, R) float32 in [0, 1], the same faces not warped."""
    mask: Tensor
    """(B, 1, R, R) float32 in [0, 1], the face region of the target."""
    features: Tensor
    """(B, 1, R, R) float32 in [0, 1], eyes and mouth of the target."""


def step_generator(seed: int, step: int, side: str) -> torch.Generator:
    """The randomness of one side (src or dst) of one step; of nothing else, so that a resumed run draws the same."""
    return torch.Generator().manual_seed((seed * 1_000_003 + step) * 2 + (side == "dst"))


def draw_batch(
    person: Person,
    count: int,
    resolution: int,
    generator: torch.Generator,
    *,
    warp: bool = True,
    flip: bool = False,
    colors_of: Person | None = None,
) -> Batch:
    """Draw `count` faces at random with random geometry.

    Args:
        person: the faces.
        count: B.
        resolution: R, side of the batch.
        generator: on the processor; all randomness comes from it.
        warp: bend the input.
        flip: mirror half of the faces.
        colors_of: give each face the colours of a random face of this person.
    """
    device = person.faces.device
    index = torch.randint(len(person), (count,), generator=generator)
    faces = person.faces[index.to(device)].float() / 255
    if colors_of is not None:
        other = torch.randint(len(colors_of), (count,), generator=generator)
        faces = torch.cat([_recolor(faces[:, :3], person, index, colors_of, other), faces[:, 3:]], 1)
    affine = _random_affine(count, flip, generator).to(device)
    fine = _sample(faces, F.affine_grid(affine, [count, 1, 2 * resolution, 2 * resolution], align_corners=False))
    target = F.avg_pool2d(fine, 2)
    picture = target[:, :3]
    warped = picture
    if warp:
        base = F.affine_grid(
            torch.eye(2, 3).expand(count, 2, 3), [count, 1, resolution, resolution], align_corners=False
        )
        bent = base + _random_warp(count, resolution, generator)
        moved = bent.to(device) @ affine[:, None, :, :2].mT + affine[:, None, None, :, 2]
        warped = _sample(F.avg_pool2d(faces[:, :3], 2), moved)
    points = _move_points(person.points[index.to(device)], affine)
    layout = torch.channels_last
    return Batch(warped.contiguous(memory_format=layout), points, picture.contiguous(), target[:, 3:4], target[:, 4:5])


def _move_points(points: Tensor, affine: Tensor) -> Tensor:
    """Points of a face after the face was sampled through `affine`, which maps output to input."""
    moved = torch.linalg.solve(affine[:, :, :2], (points - affine[:, None, :, 2]).mT).mT
    mirrored = torch.linalg.det(affine[:, :, :2]) < 0
    return torch.where(mirrored[:, None, None], moved[:, list(GUIDE_MIRROR)], moved)


def _sample(faces: Tensor, grid: Tensor) -> Tensor:
    return F.grid_sample(faces, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _uniform(count: int, reach: float, generator: torch.Generator) -> Tensor:
    return (torch.rand(count, generator=generator) * 2 - 1) * reach


def _random_affine(count: int, flip: bool, generator: torch.Generator) -> Tensor:
    """(B, 2, 3) output to input coordinates, both in [-1, 1]."""
    angle = _uniform(count, _ROTATION, generator)
    scale = 1 + _uniform(count, _SCALE, generator)
    shift = torch.stack([_uniform(count, 2 * _SHIFT, generator) for _ in range(2)], 1)
    mirror = 1 - 2 * (torch.rand(count, generator=generator) < 0.5).float() if flip else torch.ones(count)
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    linear = torch.stack([torch.stack([cos * mirror, -sin * mirror], 1), torch.stack([sin, cos], 1)], 1)
    return torch.cat([linear, shift[:, :, None]], 2)


def _random_warp(count: int, resolution: int, generator: torch.Generator) -> Tensor:
    """(B, R, R, 2) displacement in [-1, 1] coordinates: inner nodes of a grid move, its border stays."""
    fields = torch.empty(count, 2, resolution, resolution)
    kinds = torch.randint(len(_CELLS), (count,), generator=generator)
    for kind, cells in enumerate(_CELLS):
        noise = torch.randn(count, 2, cells + 1, cells + 1, generator=generator).clamp_(-2.5, 2.5)
        noise *= _WARP * 2 / cells
        noise[:, :, 0] = noise[:, :, -1] = noise[:, :, :, 0] = noise[:, :, :, -1] = 0
        chosen = kinds == kind
        if chosen.any():
            size = (resolution, resolution)
            fields[chosen] = F.interpolate(noise[chosen], size, mode="bicubic", align_corners=True)
    return fields.permute(0, 2, 3, 1)


def _recolor(picture: Tensor, person: Person, index: Tensor, other: Person, chosen: Tensor) -> Tensor:
    """Mean and spread of each channel brought to those of the chosen faces. Source: Reinhard et al., 2001, in RGB."""
    device = picture.device
    index, chosen = index.to(device), chosen.to(device)
    ratio = (other.color_std[chosen] / person.color_std[index].clamp_min(1e-3)).clamp(0.4, 2.5)
    centred = picture - person.color_mean[index][:, :, None, None]
    return (centred * ratio[:, :, None, None] + other.color_mean[chosen][:, :, None, None]).clamp(0, 1)
