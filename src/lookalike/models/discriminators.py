"""Networks that tell drawings from faces, and dst's code from src's; what DeepFaceLab 2 calls GAN and true face."""

from itertools import pairwise, product

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lookalike.models.blocks import Leaky, Residual

_MOST_LAYERS = 9
_WIDEST = 512
"""Most channels of a stage."""


def receptive_field(layers: list[tuple[int, int]]) -> int:
    """Pixels along a side that one output of convolutions with these (kernel, stride) depends on."""
    field, step = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * step
        step *= stride
    return field


def patch_layers(patch_size: int) -> list[tuple[int, int]]:
    """(kernel, stride) of 3x3 convolutions whose receptive field comes nearest to `patch_size` pixels.

    Of stacks that are as near the one with fewest layers is taken, of these the one that halves most, and earliest.
    """
    stacks = [
        [(3, stride) for stride in strides]
        for count in range(1, _MOST_LAYERS + 1)
        for strides in product((2, 1), repeat=count)
    ]
    return min(stacks, key=lambda stack: (abs(receptive_field(stack) - patch_size), len(stack), -stack.count((3, 2))))


class PatchDiscriminator(nn.Module):
    """A U-Net that judges patches of a picture at its bottom, and every pixel at its end."""

    def __init__(self, patch_size: int, dims: int, channels: int = 3) -> None:
        super().__init__()
        self._strides = [stride for _, stride in patch_layers(patch_size)]
        widths = [min(dims * 2**n, _WIDEST) for n in range(len(self._strides) + 1)]
        pairs = list(pairwise(widths))
        self.in_conv = nn.Sequential(nn.Conv2d(channels, dims, 1), Leaky(0.2))
        self.convs = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 3, stride, 1), Leaky(0.2))
            for (a, b), stride in zip(pairs, self._strides, strict=True)
        )
        self.center_out = nn.Conv2d(widths[-1], 1, 1)
        self.center_conv = nn.Sequential(nn.Conv2d(widths[-1], widths[-1], 1), Leaky(0.2))
        tops = [widths[-1], *(2 * a for a, _ in reversed(pairs[1:]))]
        self.upconvs = nn.ModuleList(
            nn.Sequential(nn.Conv2d(top, a, 3, 1, 1), Leaky(0.2), Residual(a))
            for top, (a, _) in zip(tops, reversed(pairs), strict=True)
        )
        self.out_conv = nn.Conv2d(2 * dims, 1, 3, 1, 1)

    def forward(self, picture: Tensor) -> tuple[Tensor, Tensor]:
        """Judge (B, C, H, W) pictures: logits, large for faces, of patches (B, 1, h, w) and pixels (B, 1, H, W)."""
        x = self.in_conv(picture)
        skips = []
        for conv in self.convs:
            skips.append(x)
            x = conv(x)
        center = self.center_out(x)
        x = self.center_conv(x)
        for upconv, skip in zip(self.upconvs, reversed(skips), strict=True):
            x = torch.cat([upconv(F.interpolate(x, skip.shape[-2:], mode="nearest")), skip], 1)
        return center, self.out_conv(x)


class CodeDiscriminator(nn.Module):
    """Tells whose face a code was made of."""

    def __init__(self, channels: int, side: int, dims: int = 256) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = channels
        for number in range(1 + side // 8):
            width = min(dims * 2**number, dims * 8)
            kernel = 4 if number == 0 and side > 1 else 3
            layers += [nn.Conv2d(before, width, kernel, 2, 1), Leaky(0.1)]
            before = width
        self.convs = nn.Sequential(*layers)
        self.out_conv = nn.Conv2d(before, 1, 1)

    def forward(self, code: Tensor) -> Tensor:
        """Judge (B, C, S, S) codes: logits, large for src's."""
        return self.out_conv(self.convs(code))  # type: ignore[no-any-return]
