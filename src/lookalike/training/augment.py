"""Batches with random geometry and colour, made on the training device.

Distributions follow DeepFaceLab (2019): rotation within 10 degrees, scale and shift within 5 percent, mirrored four
times in ten, and a warp whose nodes lie on a grid of 2, 4 or 8 cells. Unlike there the nodes move in x and in y
independently, and what is warped lies exactly on its target where the warp is zero.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from lookalike.color_transfer import transfer_colors
from lookalike.landmarks import GUIDE_MIRROR
from lookalike.models.autoencoder import Faces
from lookalike.training.colors import random_blur, random_hsv
from lookalike.training.config import ColorTransfer
from lookalike.training.data import Person
from lookalike.training.sampling import Picks

_ROTATION = math.radians(10)
_SCALE = 0.05
_SHIFT = 0.05
_MIRRORED = 0.4
"""Chance of a face to be mirrored, where faces are mirrored at random."""
_WARP = 0.24 * 0.54
"""Standard deviation of a node, as a share of its cell: in effect that of DeepFaceLab (2019)."""
_LARGEST_WARP = 2.5
"""Standard deviations at which a node's move is cut off."""
_CELLS = (2, 4, 8)


@dataclass(frozen=True, slots=True)
class Augmentation:
    """What is done to the faces of one person."""

    warp: bool = True
    flip: bool = False
    enlarge: float = 0.0
    """Share by which faces are enlarged."""
    colors: ColorTransfer = "none"
    """How each face is given the colours of another person's."""
    hsv: float = 0.0
    blur: float = 0.0
    """Share of the inputs that are blurred."""


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

    @property
    def faces(self) -> Faces:
        """What the network sees."""
        return Faces(self.warped, self.points)


def step_generator(seed: int, step: int, side: str) -> torch.Generator:
    """The randomness of one side (src or dst) of one step; of nothing else, so that a resumed run draws the same."""
    return torch.Generator().manual_seed((seed * 1_000_003 + step) * 2 + (side == "dst"))


def draw_batch(
    person: Person,
    picks: Picks,
    resolution: int,
    generator: torch.Generator,
    how: Augmentation,
    device: torch.device,
    colors_of: Person | None = None,
) -> Batch:
    """Draw faces with random geometry and colour.

    Args:
        person: the faces.
        picks: which of them, B in number.
        resolution: R, side of the batch.
        generator: on the processor; all randomness comes from it.
        how: what is done to them.
        device: on which the batch is made.
        colors_of: whose colours they get, if `how` says that they get others.
    """
    faces, points = person.take(picks.index, device)
    affine = _random_affine(picks, how, generator).to(device)
    target = _unit(_shrunk(faces, affine, resolution))
    shown = [target[:, :3]]
    if how.warp:
        bend = random_warp(len(faces), resolution, generator).to(device)
        shown.append(_unit(_sample(_halved(faces[:, :3], resolution), _grid(affine, resolution, bend))))
    colored = torch.cat(shown, 3)  # side by side, as what is drawn and what is seen get the same colours
    if how.colors != "none" and colors_of is not None:
        chosen = torch.randint(len(colors_of), (len(faces),), generator=generator)
        colored = _recolored(colored, target[:, 3:4], colors_of, chosen, how.colors, generator)
    if how.hsv:
        colored = random_hsv(colored, how.hsv, generator)
    picture, warped = colored[..., :resolution], colored[..., -resolution:]
    if how.blur:
        warped = random_blur(warped, how.blur, generator)
    layout = torch.channels_last
    return Batch(
        warped.contiguous(memory_format=layout),
        _move_points(points, affine),
        picture.contiguous(),
        target[:, 3:4],
        target[:, 4:5],
    )


def plain_batch(
    person: Person,
    index: Tensor,
    resolution: int,
    device: torch.device,
    colors: tuple[ColorTransfer, Person, Tensor] | None = None,
) -> Batch:
    """Faces as they are, or in the colours of others.

    Args:
        person: the faces.
        index: (B,) which of them, on the processor.
        resolution: R, side of the batch.
        device: on which the batch is made.
        colors: by which method, whose, and (B,) which of that person's faces give them.
    """
    faces, points = person.take(index, device)
    small = _unit(F.interpolate(faces, (resolution, resolution), mode="area"))
    picture, mask = small[:, :3].contiguous(), small[:, 3:4]
    if colors is not None and colors[0] != "none":
        mode, giver, chosen = colors
        picture = _recolored(picture, mask, giver, chosen, mode, torch.Generator().manual_seed(0))
    return Batch(picture.contiguous(memory_format=torch.channels_last), points, picture, mask, small[:, 4:5])


def random_warp(count: int, resolution: int, generator: torch.Generator) -> Tensor:
    """(B, R, R, 2) displacement in [-1, 1] coordinates: inner nodes of a grid move, its border stays."""
    fields = torch.empty(count, 2, resolution, resolution)
    kinds = torch.randint(len(_CELLS), (count,), generator=generator)
    for kind, cells in enumerate(_CELLS):
        noise = torch.randn(count, 2, cells + 1, cells + 1, generator=generator).clamp_(-_LARGEST_WARP, _LARGEST_WARP)
        noise *= _WARP * 2 / cells
        noise[:, :, 0] = noise[:, :, -1] = noise[:, :, :, 0] = noise[:, :, :, -1] = 0
        chosen = kinds == kind
        if chosen.any():
            size = (resolution, resolution)
            fields[chosen] = F.interpolate(noise[chosen], size, mode="bicubic", align_corners=True)
    return fields.permute(0, 2, 3, 1)


def _recolored(
    pictures: Tensor, mask: Tensor, giver: Person, chosen: Tensor, mode: ColorTransfer, generator: torch.Generator
) -> Tensor:
    """Pictures, several side by side too, in others' colours; the first R columns count, by the (B, 1, R, R) mask."""
    other, _ = giver.take(chosen, pictures.device)
    other = _unit(_halved(other, mask.shape[-1]))
    weight = F.pad(mask, (0, pictures.shape[-1] - mask.shape[-1]))
    return transfer_colors(mode, pictures, other[:, :3], weight, other[:, 3:4], generator)


def _shrunk(faces: Tensor, affine: Tensor, resolution: int) -> Tensor:
    """(B, C, R, R) of (B, C, S, S) moved by `affine`, sampled at twice the side and averaged."""
    return F.avg_pool2d(_sample(faces, _grid(affine, 2 * resolution)), 2)


def _grid(affine: Tensor, side: int, bend: Tensor | None = None) -> Tensor:
    """(B, side, side, 2) where to sample, in [-1, 1], for an affine map of the output's pixels after a displacement.

    Written out, as a product with matrices of two columns takes several times as long on a processor.
    """
    line = (torch.arange(side, device=affine.device) * 2 + 1) / side - 1
    x, y = line[None, None, :], line[None, :, None]
    if bend is not None:
        x, y = x + bend[..., 0], y + bend[..., 1]
    a = affine[..., None, None]
    return torch.stack([a[:, row, 0] * x + a[:, row, 1] * y + a[:, row, 2] for row in (0, 1)], 3)


def _unit(faces: Tensor) -> Tensor:
    """Bytes as numbers in [0, 1]; done last, when there are fewest of them."""
    return (faces / 255).clamp_(max=1)  # averages of 255 may be a hair more


def _halved(faces: Tensor, resolution: int) -> Tensor:
    return F.avg_pool2d(faces, 2) if faces.shape[-1] >= 2 * resolution else faces


def _move_points(points: Tensor, affine: Tensor) -> Tensor:
    """Points of a face after the face was sampled through `affine`, which maps output to input."""
    (a, b), (c, d) = affine[:, :, :2].permute(1, 2, 0)
    scale = a * d - b * c
    back = torch.stack([torch.stack([d, -b], 1), torch.stack([-c, a], 1)], 1) / scale[:, None, None]
    moved = (points - affine[:, None, :, 2]) @ back.mT
    return torch.where((scale < 0)[:, None, None], moved[:, list(GUIDE_MIRROR)], moved)


def _sample(faces: Tensor, grid: Tensor) -> Tensor:
    return F.grid_sample(faces, grid, mode="bilinear", padding_mode="border", align_corners=False)


def _uniform(count: int, reach: float, generator: torch.Generator) -> Tensor:
    return (torch.rand(count, generator=generator) * 2 - 1) * reach


def _random_affine(picks: Picks, how: Augmentation, generator: torch.Generator) -> Tensor:
    """(B, 2, 3) output to input coordinates, both in [-1, 1]."""
    count = len(picks.index)
    angle = _uniform(count, _ROTATION, generator)
    scale = 1 + how.enlarge + _uniform(count, _SCALE, generator)
    shift = torch.stack([_uniform(count, 2 * _SHIFT, generator) for _ in range(2)], 1)
    flipped = torch.rand(count, generator=generator) < (_MIRRORED if how.flip else 0.0)
    mirror = 1 - 2 * (flipped ^ picks.mirrored).float()
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    linear = torch.stack([torch.stack([cos * mirror, -sin * mirror], 1), torch.stack([sin, cos], 1)], 1)
    return torch.cat([linear, shift[:, :, None]], 2)
