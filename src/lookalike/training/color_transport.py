"""Colour transfers that move a whole distribution of colours, in batches.

They look at colours along random axes, where a distribution is a curve, and bring the curve of the content to that of
the reference, axes after axes. They see a fixed number of pixels drawn by weight, and then move all.
"""

import torch
from torch import Tensor

_PIXELS = 2048
"""Pixels of each picture that the curves are made of."""
_KNOTS = 64
"""Points of a curve."""
TRANSPORTS = {"idt": (8, 1.0), "sot": (10, 2 / 3)}
"""How often three random axes are drawn, and how much of the way to the reference's curves is gone each time."""


def transport(
    mode: str,
    content: Tensor,
    reference: Tensor,
    content_weight: Tensor,
    reference_weight: Tensor,
    generator: torch.Generator,
) -> Tensor:
    """Move the colours of a batch to those of another; see transfer_colors for the arguments.

    Source: for `idt`, iterative distribution transfer, Pitié, Kokaram and Dahyot, CVIU 107, 2007; for `sot`, sliced
    optimal transport, Rabin et al., SSVM 2011, in steps over three axes that stand upright on each other.
    """
    turns, share = TRANSPORTS[mode]
    flat = content.flatten(2)
    seen = _some(flat, content_weight, generator)
    wanted = _some(reference.flatten(2), reference_weight, generator)
    for _ in range(turns):
        axes = torch.linalg.qr(torch.randn(3, 3, generator=generator))[0].to(content.device)
        curve, target = _curve(axes @ seen), _curve(axes @ wanted)
        seen, flat = (_moved(colors, axes, curve, target, share) for colors in (seen, flat))
    return flat.view_as(content)


def _some(flat: Tensor, weight: Tensor, generator: torch.Generator) -> Tensor:
    """(B, 3, P) colours of pixels of (B, 3, N), drawn in proportion to (B, 1, h, w) weights."""
    levels = torch.rand(len(flat), _PIXELS, generator=generator).to(flat.device)
    heap = (weight.flatten(1) + 1e-9).cumsum(1)
    place = torch.searchsorted(heap, levels * heap[:, -1:]).clamp(max=flat.shape[2] - 1)
    return flat.gather(2, place[:, None].expand(-1, 3, -1))


def _curve(along: Tensor) -> Tensor:
    """(B, 3, K) values of (B, 3, P) at evenly spaced ranks, smallest and largest included."""
    ranks = torch.linspace(0, along.shape[2] - 1, _KNOTS, device=along.device).round().long()
    return along.sort(2).values[:, :, ranks]


def _moved(colors: Tensor, axes: Tensor, curve: Tensor, target: Tensor, share: float) -> Tensor:
    """(B, 3, N) colours after they went a share of the way that the curves ask of them along the axes."""
    along = axes @ colors
    return colors + axes.mT @ (_follow(along, curve, target) - along) * share


def _follow(along: Tensor, curve: Tensor, target: Tensor) -> Tensor:
    """Where values of `curve` go if they become those of `target`; beyond its ends shifted as the ends are."""
    curve = curve + torch.linspace(-1e-5, 1e-5, _KNOTS, device=along.device)  # rising even where flat: to the middle
    upper = torch.searchsorted(curve, along.contiguous()).clamp(1, _KNOTS - 1)
    low, high = (curve.gather(2, upper - 1), curve.gather(2, upper))
    share = ((along - low) / (high - low)).clamp(0, 1)
    to_low, to_high = target.gather(2, upper - 1), target.gather(2, upper)
    beyond = along - along.clamp(curve[:, :, :1], curve[:, :, -1:])
    return torch.lerp(to_low, to_high, share) + beyond
