"""What discriminators are trained for, and networks against them. All in float32."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


def judged_real(logits: Sequence[Tensor]) -> Tensor:
    """Binary cross-entropy of being taken for real, each output's mean, summed over the outputs."""
    return torch.stack([F.softplus(-one.float()).mean() for one in logits]).sum()


def judged_fake(logits: Sequence[Tensor]) -> Tensor:
    """Binary cross-entropy of being taken for a drawing, each output's mean, summed over the outputs."""
    return torch.stack([F.softplus(one.float()).mean() for one in logits]).sum()


def discriminator_loss(real: Sequence[Tensor], fake: Sequence[Tensor]) -> Tensor:
    """What a discriminator is trained for, given its logits of faces and of drawings."""
    return (judged_real(real) + judged_fake(fake)) / 2


def total_variation(picture: Tensor) -> Tensor:
    """Sum over a (B, C, H, W) picture of the squared differences of neighbours, the mean over the batch."""
    across = picture.diff(dim=-1).square().sum((1, 2, 3))
    down = picture.diff(dim=-2).square().sum((1, 2, 3))
    return (across + down).mean()
