"""Moving one cloud of colours onto another: by linear maps, and by maps along single directions.

Throughout x are (B, 3, N) colours that move, y are (B, 3, M) colours they move to, and weights are (B, 1, N) and
(B, 1, M) in [0, 1] that add up to at least one for each picture.
"""

from dataclasses import dataclass
from typing import Final, Literal

import torch
from torch import Tensor

_RIDGE: Final = 1e-5
"""Added to the variance of each channel, as in DeepFaceLab (2019), so that flat pictures have an inverse, too."""
_LEAST_SHARE: Final = 1e-11
"""Smallest eigenvalue that a root is taken of, as a share of the trace; roundoff may leave less, even less than 0."""
_NEWTON_STEPS: Final = 38
"""Each step multiplies the smallest eigenvalue by 2.25 until it is near 1; 31 do so from 1e-11, and 7 make it exact."""

_BINS: Final = 256
"""Of the histograms of idt, and positions at which a map is known."""
_ROTATIONS: Final = 10
"""Systems of axes that idt goes through."""

_SAMPLE: Final = 2048
"""Pixels of each picture that sot looks at."""
_STEPS: Final = 6
"""Moves of sot."""
_SYSTEMS: Final = 2
"""Systems of axes whose moves sot averages in a step."""


def weighted_mean(values: Tensor, weight: Tensor) -> Tensor:
    """(B, C, 1) of (B, C, N) values."""
    return values @ weight.mT / weight.sum(2, keepdim=True)


def like_device(drawn: Tensor, like: Tensor) -> Tensor:
    """What was drawn on the processor, on the device of `like`; CUDA is not waited for."""
    return drawn.to(like.device, non_blocking=like.is_cuda)


def fitted_covariance(kind: Literal["lct", "mkl"], x: Tensor, y: Tensor, x_weight: Tensor, y_weight: Tensor) -> Tensor:
    """(B, 3, N): x of the mean and, but for the ridge, the covariance of y, by a linear map A (x - mean) + mean of y.

    With symmetric roots lct is A = Cy^1/2 Cx^-1/2 (specification, 11.2), and mkl, among all maps with that outcome
    the one that moves Gaussian colours least, is A = Cx^-1/2 (Cx^1/2 Cy Cx^1/2)^1/2 Cx^-1/2.

    Source: Pitie & Kokaram, "The linear Monge-Kantorovitch linear colour mapping", CVMP 2007.
    """
    x_mean, y_mean = weighted_mean(x, x_weight), weighted_mean(y, y_weight)
    centred = x - x_mean
    covariance, wanted = _covariance(centred, x_weight), _covariance(y - y_mean, y_weight)
    root, inverse_root = symmetric_roots(covariance)
    if kind == "lct":
        matrix = symmetric_roots(wanted)[0] @ inverse_root
    else:
        matrix = inverse_root @ symmetric_roots(root @ wanted @ root)[0] @ inverse_root
    return matrix.to(x) @ centred + y_mean


def _covariance(centred: Tensor, weight: Tensor) -> Tensor:
    """(B, 3, 3) float64 with the ridge; on the processor where the device, MPS, has no float64."""
    covariance = (centred * weight) @ centred.mT / weight.sum(2, keepdim=True)
    if covariance.device.type == "mps":
        covariance = covariance.cpu()
    return covariance.double() + _RIDGE * torch.eye(3, dtype=torch.float64, device=covariance.device)


def symmetric_roots(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Square root and inverse square root of (B, 3, 3) symmetric positive matrices, in float64.

    An eigen-decomposition would do, too, but on CUDA it makes the processor wait.

    Source: the coupled Newton-Schulz iteration; Higham, "Stable iterations for the matrix square root", Numerical
    Algorithms 15, 1997.
    """
    one = torch.eye(3, dtype=matrix.dtype, device=matrix.device)
    trace = matrix.diagonal(dim1=1, dim2=2).sum(1)[:, None, None]
    root, inverse_root = matrix / trace + _LEAST_SHARE * one, one
    for _ in range(_NEWTON_STEPS):
        factor = 1.5 * one - 0.5 * inverse_root @ root
        root, inverse_root = root @ factor, factor @ inverse_root
    return root * trace.sqrt(), inverse_root / trace.sqrt()


def iterative_transfer(x: Tensor, y: Tensor, x_weight: Tensor, y_weight: Tensor, generator: torch.Generator) -> Tensor:
    """(B, 3, N): x moved along three random axes at a time, so that its histogram along each becomes that of y.

    Source: Pitie, Kokaram & Dahyot, "Automated colour grading using colour distribution transfer", CVIU 107, 2007.
    """
    x_count, y_count = _counts(x_weight), _counts(y_weight)
    for axes in like_device(_random_axes(_ROTATIONS, generator), x):
        along = axes @ x
        moves = _histogram_moves(_histogram(along, x_count), _histogram(axes @ y, y_count))
        x = x + axes.mT @ moves(along)
    return x


def sliced_transport(x: Tensor, y: Tensor, x_weight: Tensor, y_weight: Tensor, generator: torch.Generator) -> Tensor:
    """(B, 3, N): x moved, in steps, by the mean over random directions of what sorting a sample along each asks for.

    A sample of each picture, drawn by weight, is sorted along each direction of several systems of axes. Of equal rank
    means equal place; what lies between two pixels of the sample moves as they do.

    Source: Bonneel et al., "Sliced and Radon Wasserstein barycenters of measures", JMIV 51, 2015.
    """
    x_seen, y_seen = (_sampled(c, w, generator) for c, w in ((x, x_weight), (y, y_weight)))
    x = torch.cat([x, x_seen], 2)
    for axes in like_device(_random_axes(_STEPS * _SYSTEMS, generator), x).view(_STEPS, _SYSTEMS * 3, 3):
        along = axes @ x
        moves = _sorted_moves(along[:, :, -_SAMPLE:], axes @ y_seen)
        x = x + axes.mT @ moves(along) / _SYSTEMS
    return x[:, :, :-_SAMPLE]


@dataclass(frozen=True, slots=True, eq=False)
class _Moves:
    """How far values move along each of D directions: straight lines between evenly spaced positions, level outside."""

    low: Tensor
    """(B, D, 1), the first position."""
    high: Tensor
    """(B, D, 1), the last."""
    table: Tensor
    """(B, D, T), the move at each position."""

    def __call__(self, values: Tensor) -> Tensor:
        """(B, D, N) values to their moves."""
        last = self.table.shape[2] - 1
        scale = last / (self.high - self.low)
        place = ((values - self.low) * scale).clamp_(0, last)
        before = place.long().clamp_(max=last - 1)
        place -= before
        return torch.addcmul(self.table.gather(2, before), place, self.table.diff(dim=2).gather(2, before))


@dataclass(frozen=True, slots=True, eq=False)
class _Histogram:
    """Of (B, D, N) values along each direction, between the least and the greatest that counts."""

    low: Tensor
    """(B, D, 1)."""
    width: Tensor
    """(B, D, 1) of a bin."""
    below: Tensor
    """(B, D, bins + 1) in [0, 1], the share of the values below each edge of a bin."""


def _counts(weight: Tensor) -> Tensor:
    """Weights as whole numbers, whose sums do not depend on the order in which a GPU adds."""
    return (weight * 255).round_().int()


def _histogram(values: Tensor, count: Tensor) -> _Histogram:
    low = values.where(count > 0, torch.inf).amin(2, keepdim=True)
    high = values.where(count > 0, -torch.inf).amax(2, keepdim=True)
    width = ((high - low) / _BINS).clamp_(min=1e-7)
    bins = ((values - low) / width).long().clamp_(0, _BINS - 1)
    held = count.new_zeros(*values.shape[:2], _BINS).scatter_add_(2, bins, count.expand_as(bins))
    below = torch.cat([torch.zeros_like(low), held.cumsum(2) / count.sum(2, keepdim=True)], 2)
    return _Histogram(low, width, below)


def _histogram_moves(x: _Histogram, y: _Histogram) -> _Moves:
    """From the middle of each bin to where as many lie below in y; a flat picture moves to the median."""
    share = (x.below[:, :, 1:] + x.below[:, :, :-1]) / 2
    bins = torch.searchsorted(y.below[:, :, 1:].contiguous(), share).clamp_(max=_BINS - 1)
    start = y.below.gather(2, bins)
    inside = (share - start) / (y.below.gather(2, bins + 1) - start).clamp_(min=1e-7)
    place = torch.arange(_BINS, device=share.device) + 0.5
    return _Moves(
        x.low + 0.5 * x.width,
        x.low + (_BINS - 0.5) * x.width,
        y.low + (bins + inside.clamp_(0, 1)) * y.width - (x.low + place * x.width),
    )


def _sorted_moves(x: Tensor, y: Tensor) -> _Moves:
    """The moves that take (B, D, S) values to those of equal rank in as many others."""
    x, y = x.sort(2).values, y.sort(2).values
    low = x[:, :, :1]
    high = torch.maximum(x[:, :, -1:], low + 1e-5)
    places = low + (high - low) * torch.linspace(0, 1, _BINS, device=x.device)
    ranks = (torch.searchsorted(x, places) + torch.searchsorted(x, places, right=True)) / 2 - 0.5
    before = ranks.long().clamp_(0, x.shape[2] - 2)
    start = y.gather(2, before)
    wanted = start + (ranks - before).clamp_(0, 1) * (y.gather(2, before + 1) - start)
    return _Moves(low, high, wanted - places)


def _sampled(colors: Tensor, weight: Tensor, generator: torch.Generator) -> Tensor:
    """(B, 3, S) of (B, 3, N) colours, each as often as its weight says, spread evenly over the picture."""
    below = _counts(weight)[:, 0].cumsum(1, dtype=torch.int32)
    even = (torch.arange(_SAMPLE) + torch.rand(len(colors), _SAMPLE, generator=generator)) / _SAMPLE
    wanted = (like_device(even, colors) * below[:, -1:]).int()
    index = torch.searchsorted(below, wanted, right=True).clamp_(max=colors.shape[2] - 1)
    return colors.gather(2, index[:, None].expand(-1, colors.shape[1], -1))


def _random_axes(count: int, generator: torch.Generator) -> Tensor:
    """(count, 3, 3) orthonormal rows; uniform but for their signs, which do not matter here."""
    axes: Tensor = torch.linalg.qr(torch.randn(count, 3, 3, generator=generator)).Q.mT
    return axes
