"""2DFAN-4, four stacked hourglasses that draw a heat map for each of 68 landmarks, and the reading of the maps.

Source: Bulat and Tzimiropoulos, "How far are we from solving the 2D & 3D face alignment problem?", ICCV 2017. The block
is theirs of "Binarized convolutional landmark localizers", ICCV 2017; the hourglass is Newell et al., ECCV 2016.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIDE = 256
"""Side of the crop that the network looks at, in pixels."""
MAP_SIDE = 64
"""Side of its heat maps."""
LANDMARKS = 68
_WIDTH = 256
_DEPTH = 4


class _Block(nn.Module):
    """Three 3x3 convolutions, each fed by the one before; their outputs side by side are added to the input."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        widths = (channels_in, channels_out // 2, channels_out // 4, channels_out // 4)
        for number in (1, 2, 3):
            self.add_module(f"bn{number}", nn.BatchNorm2d(widths[number - 1]))
            self.add_module(f"conv{number}", nn.Conv2d(widths[number - 1], widths[number], 3, padding=1, bias=False))
        self.downsample: nn.Module | None = None  # the published name; it changes the width, not the side
        if channels_in != channels_out:
            skip = nn.Conv2d(channels_in, channels_out, 1, bias=False)
            self.downsample = nn.Sequential(nn.BatchNorm2d(channels_in), nn.ReLU(), skip)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels_in, H, W) to (B, channels_out, H, W)."""
        parts, last = [], x
        for number in (1, 2, 3):
            norm, conv = self.get_submodule(f"bn{number}"), self.get_submodule(f"conv{number}")
            last = conv(F.relu(norm(last)))
            parts.append(last)
        return torch.cat(parts, 1) + (x if self.downsample is None else self.downsample(x))


class _Hourglass(nn.Module):
    """Down four levels and up again, with a branch across at each level."""

    def __init__(self) -> None:
        super().__init__()
        for level in range(1, _DEPTH + 1):
            for branch in ("b1", "b2", "b3"):  # across, down, up
                self.add_module(f"{branch}_{level}", _Block(_WIDTH, _WIDTH))
        self.b2_plus_1 = _Block(_WIDTH, _WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 256, H, W) to the same shape; H and W are multiples of 16."""
        across = []
        for level in range(_DEPTH, 0, -1):
            across.append(self.get_submodule(f"b1_{level}")(x))
            x = self.get_submodule(f"b2_{level}")(F.avg_pool2d(x, 2))
        x = self.b2_plus_1(x)
        for level in range(1, _DEPTH + 1):
            x = across.pop() + F.interpolate(self.get_submodule(f"b3_{level}")(x), scale_factor=2.0, mode="nearest")
        return x


class FAN(nn.Module):
    """The network; its parameters carry the names of the published file 2DFAN4-11f355bf06.pth.tar."""

    def __init__(self, stacks: int = 4) -> None:
        super().__init__()
        self._stacks = stacks
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3)
        self.bn1 = nn.BatchNorm2d(64)
        self.conv2, self.conv3, self.conv4 = _Block(64, 128), _Block(128, 128), _Block(128, _WIDTH)
        for name, layer in self._stack_layers():
            self.add_module(name, layer)

    def _stack_layers(self) -> Iterator[tuple[str, nn.Module]]:
        for stack in range(self._stacks):
            yield f"m{stack}", _Hourglass()
            yield f"top_m_{stack}", _Block(_WIDTH, _WIDTH)
            yield f"conv_last{stack}", nn.Conv2d(_WIDTH, _WIDTH, 1)
            yield f"bn_end{stack}", nn.BatchNorm2d(_WIDTH)
            yield f"l{stack}", nn.Conv2d(_WIDTH, LANDMARKS, 1)
            if stack + 1 < self._stacks:
                yield f"bl{stack}", nn.Conv2d(_WIDTH, _WIDTH, 1)
                yield f"al{stack}", nn.Conv2d(LANDMARKS, _WIDTH, 1)

    def forward(self, rgb: Tensor) -> list[Tensor]:
        """Heat maps of each stack, the best last.

        Args:
            rgb: (B, 3, 256, 256) float32 in 0..1.

        Returns:
            (B, 68, 64, 64) maps from each stack; pixel (0, 0) of a map stands for the crop's first 4x4 pixels.
        """
        x = F.relu(self.bn1(self.conv1(rgb)))
        x = self.conv4(self.conv3(F.avg_pool2d(self.conv2(x), 2)))
        maps = []
        for stack in range(self._stacks):
            features = x
            for name in ("m", "top_m_", "conv_last", "bn_end"):
                features = self.get_submodule(f"{name}{stack}")(features)
            features = F.relu(features)
            maps.append(self.get_submodule(f"l{stack}")(features))
            if stack + 1 < self._stacks:
                x = x + self.get_submodule(f"bl{stack}")(features) + self.get_submodule(f"al{stack}")(maps[-1])
        return maps


def peaks_quarter(maps: Tensor) -> Tensor:
    """The published reading: the largest pixel, a quarter pixel towards its larger neighbour on each axis.

    Args:
        maps: (B, N, H, W).

    Returns:
        (B, N, 2) float32 x, y, in pixels of the map; integers are pixel centres. Not moved on the border.
    """
    maps = maps.float()
    xy = _largest(maps)
    size = torch.tensor(maps.shape[:1:-1], device=maps.device)
    inside = ((xy > 0) & (xy < size - 1)).all(-1, keepdim=True)
    patch = _patch(maps, xy.clamp(min=1).minimum(size - 2))
    step = torch.stack([patch[..., 1, 2] - patch[..., 1, 0], patch[..., 2, 1] - patch[..., 0, 1]], -1).sign()
    return xy + 0.25 * step * inside


def peaks(maps: Tensor) -> Tensor:
    """The peak of each map, between pixels.

    The logarithm of a Gaussian is a parabola, so one is fitted by least squares to the logarithms of the 3x3 pixels
    about the largest, and its top is the peak: exact for a Gaussian of any width, height and slant. Where these pixels
    are no hill (one is not positive, the parabola has no top, or the top lies more than 1.5 pixels off), the reading is
    `peaks_quarter`'s.

    Args:
        maps: (B, N, H, W), H and W of 3 or more.

    Returns:
        (B, N, 2) float32 x, y, in pixels of the map; integers are pixel centres.

    Source: the idea of Zhang et al., "Distribution-aware coordinate representation", CVPR 2020, with a fit in place of
    their differences, and no blur before it.
    """
    maps = maps.float()
    size = torch.tensor(maps.shape[:1:-1], device=maps.device)
    middle = _largest(maps).clamp(min=1).minimum(size - 2)
    patch = _patch(maps, middle)
    top = patch.amax((-2, -1), keepdim=True)
    fit = (patch / top).clamp(min=1e-6).log().flatten(-2) @ _parabola_fit().to(maps.device).T
    ax, ay, axx, ayy, axy = fit.unbind(-1)
    bend = axx * ayy * 4 - axy**2
    offset = torch.stack([axy * ay - 2 * ayy * ax, axy * ax - 2 * axx * ay], -1) / bend[..., None]
    hill = (patch.amin((-2, -1)) > 1e-6 * top[..., 0, 0]) & (bend > 1e-12) & (axx < 0) & (offset.abs().amax(-1) <= 1.5)
    return torch.where(hill[..., None], middle + offset, peaks_quarter(maps))


def _largest(maps: Tensor) -> Tensor:
    """(B, N, 2) integer x, y of the largest pixel."""
    where = maps.flatten(2).argmax(-1)
    return torch.stack([where % maps.shape[-1], where // maps.shape[-1]], -1)


def _patch(maps: Tensor, middle_xy: Tensor) -> Tensor:
    """(B, N, 3, 3) pixels about places that are not on the border."""
    step = torch.arange(-1, 2, device=maps.device)
    rows = middle_xy[..., 1, None, None] + step[:, None]
    places = rows * maps.shape[-1] + middle_xy[..., 0, None, None] + step
    return maps.flatten(2).gather(2, places.flatten(2)).reshape(places.shape)


def _parabola_fit() -> Tensor:
    """(5, 9) matrix from 3x3 values to the factors of x, y, x², y² and xy of the parabola that fits them best."""
    y, x = torch.meshgrid(torch.arange(-1.0, 2.0), torch.arange(-1.0, 2.0), indexing="ij")
    x, y = x.flatten().double(), y.flatten().double()
    terms = torch.stack([x, y, x * x, y * y, x * y, torch.ones_like(x)], 1)
    fit: Tensor = torch.linalg.pinv(terms)
    return fit[:5].float()
