"""The picture by which a person judges a training."""

from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from lookalike.files import replacing
from lookalike.models.device import Compute
from lookalike.models.df import DF
from lookalike.training.data import Person

_ROWS = 6


def preview_faces(person: Person, resolution: int) -> tuple[Tensor, Tensor]:
    """Faces spread evenly over a faceset: (N, 3, R, R) float32 in [0, 1] and their (N, P, 2) points."""
    count = min(_ROWS, len(person))
    index = torch.linspace(0, len(person) - 1, count).long().to(person.faces.device)
    pictures = person.faces[index, :3].float() / 255
    return torch.nn.functional.interpolate(pictures, (resolution, resolution), mode="area"), person.points[index]


@torch.inference_mode()
def preview_grid(model: DF, src: Person, dst: Person, resolution: int, compute: Compute) -> Tensor:
    """(H, W, 3) uint8: a row a face; src, src redrawn, dst, dst redrawn, and last the swap that merging will use."""
    src_faces, src_points = preview_faces(src, resolution)
    dst_faces, dst_points = preview_faces(dst, resolution)
    rows = min(len(src_faces), len(dst_faces))
    src_faces, src_points, dst_faces, dst_points = (t[:rows] for t in (src_faces, src_points, dst_faces, dst_points))
    layout = torch.channels_last
    with compute.autocast():
        src_again, dst_again = model(
            src_faces.contiguous(memory_format=layout),
            src_points,
            dst_faces.contiguous(memory_format=layout),
            dst_points,
        )
        swap, _ = model.swap(dst_faces.contiguous(memory_format=layout), dst_points)
    columns = [src_faces, src_again.picture, dst_faces, dst_again.picture, swap.picture]
    grid = torch.cat([torch.cat(list(column), 1) for column in columns], 2)
    return (grid * 255).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).cpu()


def write_preview(folder: Path, step: int, grid: Tensor) -> Path:
    """Save a grid as `previews/<step>.jpg` under a model's folder."""
    path = folder / "previews" / f"{step:07d}.jpg"
    with replacing(path) as temporary:
        Image.fromarray(grid.numpy()).save(temporary, quality=92, subsampling=0)
    return path
