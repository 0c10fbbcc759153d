"""Colour transfers that move a whole distribution of colours, in batches.

Both look at colours along random axes, where a distribution is a curve, and bring the curve of the content to that of
the reference, axis after axis. They see a fixed number of pixels drawn by weight, and then move all.
"""

import torch
from torch import Tensor

_PIXELS = 2048
"""Pixels of each picture that the curves are made of."""
_TURNS = 8
"""Random rotations of idt; each brings three axes into agreement."""
_STEPS = 10
"""Random axes of sot, all of which move a pixel a little."""
_KNOTS = 64
"""Points of a curve."""


def distribution_transfer(
    content: Tensor, reference: Tensor, content_weight: Tensor, reference_weight: Tensor, generator: torch.Generator
) -> Tensor:
    """Iterative distribution transfer (`idt`); see transfer_colors for the arguments.

    Source: Pitié, Kokaram and Dahyot, "Automated colour grading using colour distribution transfer", CVIU 107, 2007.
    """
    flat = content.flatten(2)
    seen = _some(flat, content_weight, generator)
    wanted = _some(reference.flatten(2), reference_weight, generator)
    for _ in range(_TURNS):
        axes = torch.linalg.qr(torch.randn(3, 3, generator=generator))[0].to(content.device)
        curve, target = _curve(axes @ seen), _curve(axes @ wanted)
        seen = axes.mT @ _follow(axes @ seen, curve, target)
        flat = axes.mT @ _follow(axes @ flat, curve, target)
    return flat.view_as(content)


def sliced_transport(
    content: Tensor, reference: Tensor, content_weight: Tensor, reference_weight: Tensor, generator: torch.Generator
) -> Tensor:
    """Sliced optimal transport (`sot`); see transfer_colors for the arguments.

    Source: Rabin et al., "Wasserstein barycenter and its application to texture mixing", SSVM 2011.
    """
    flat = content.flatten(2)
    seen = _some(flat, content_weight, generator)
    wanted = _some(reference.flatten(2), reference_weight, generator)
    for _ in range(_STEPS):
        axes = torch.linalg.qr(torch.randn(3, 3, generator=generator))[0].to(content.device)
        curve, target = _curve(axes @ seen), _curve(axes @ wanted)
        # The mean over all axes of the sphere is a third of the sum over three that stand upright on each other.
        seen = seen + axes.mT @ (_follow(axes @ seen, curve, target) - axes @ seen) * (2 / 3)
        flat = flat + axes.mT @ (_follow(axes @ flat, curve, target) - axes @ flat) * (2 / 3)
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


def _follow(along: Tensor, curve: Tensor, target: Tensor) -> Tensor:
    """Where values of `curve` go if they become those of `target`; beyond its ends shifted as the ends are."""
    curve = curve + torch.linspace(-1e-5, 1e-5, _KNOTS, device=along.device)  # rising even where flat: to the middle
    upper = torch.searchsorted(curve, along.contiguous()).clamp(1, _KNOTS - 1)
    low, high = (curve.gather(2, upper - 1), curve.gather(2, upper))
    share = ((along - low) / (high - low)).clamp(0, 1)
    to_low, to_high = target.gather(2, upper - 1), target.gather(2, upper)
    beyond = along - along.clamp(curve[:, :, :1], curve[:, :, -1:])
    return torch.lerp(to_low, to_high, share) + beyond
