"""What each architecture is trained for: how far its drawings are from what they should be. All in float32."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from lookalike.models.autoencoder import Drawing
from lookalike.models.config import ModelName
from lookalike.training.augment import Batch
from lookalike.training.config import TrainConfig
from lookalike.training.losses import (
    blurred,
    dssim_map,
    mask_loss,
    picture_loss,
    style_loss,
    weighted_squares,
)

_OUTSIDE = 0.1
"""guided: how much the picture outside the face counts: enough that the mask's edge has something to show."""
_FEATURES = 3.0
"""guided: how many times more eyes and mouth count, beyond the rest of the face."""
_PIXEL = 50.0
"""Factor of the squared error where it stands in for DSSIM."""
_EYES_MOUTH = 300.0
"""sae, saehd, amp: factor of the absolute error in eyes and mouth."""
_SMALL = 256
"""saehd, amp: from this resolution on, two windows share the DSSIM."""

MASK_WEIGHT: dict[ModelName, float] = {"guided": 3.0, "sae": 1.0, "saehd": 10.0, "amp": 10.0}
"""Factor of the mask's squared error."""


def redraw_loss(model: ModelName, drawn: Drawing, batch: Batch, config: TrainConfig) -> Tensor:
    """How far a person's redrawn faces are from the faces, the mask apart; a scalar."""
    return _RECIPES[model](drawn, batch, config)


def drawn_mask_loss(drawn: Drawing, batch: Batch) -> Tensor:
    """Mean squared error of the learned mask; 0 if none is learnt."""
    return batch.mask.new_zeros(()) if drawn.mask is None else mask_loss(drawn.mask, batch.mask)


def face_style(swap: Drawing, dst: Batch, config: TrainConfig) -> Tensor:
    """Face style: pulls colour and light of the swap's face toward dst's. Source: DeepFaceLab (2019)."""
    soft = soft_mask(dst.mask)
    return config.face_style_power / 100 * style_loss(swap.picture * soft, dst.target * soft)


def background_style(swap: Drawing, dst: Batch, config: TrainConfig) -> Tensor:
    """Background style: pulls what is around the swap's face toward dst's. Source: DeepFaceLab (2019)."""
    around = 1 - soft_mask(dst.mask)
    apart = _apart(swap.picture * around, dst.target * around, config.pixel_loss, window(dst.target.shape[-1]))
    return config.bg_style_power / 100 * apart


def soft_mask(mask: Tensor) -> Tensor:
    """(B, 1, S, S) mask with the soft edge of DeepFaceLab (2019): a blur of S // 32 pixels, 1 at least."""
    return blurred(mask, max(1, mask.shape[-1] // 32))


def window(resolution: int) -> int:
    """Side of the DSSIM window in DeepFaceLab, which may be even."""
    return max(2, int(resolution / 11.6))


def blur_out(target: Tensor, mask: Tensor) -> Tensor:
    """The pictures with what is outside the mask blurred, from what is outside alone. Source: DeepFaceLab 2."""
    sigma = target.shape[-1] / 128
    outside = 1 - mask
    soft = blurred(target * outside, sigma) / (blurred(outside, sigma) + 1e-6)
    return target * mask + soft.clamp(0, 1) * outside


def _apart(a: Tensor, b: Tensor, pixels: bool, side: int) -> Tensor:
    return _PIXEL * (a - b).square().mean() if pixels else 10 * dssim_map(a, b, side).mean()


def _guided(drawn: Drawing, batch: Batch, config: TrainConfig) -> Tensor:
    outside = _OUTSIDE if config.masked_training else 1.0
    weight = outside + (1 - outside) * batch.mask
    if config.eyes_mouth_prio:
        weight = weight + _FEATURES * batch.features * batch.mask
    if config.pixel_loss:
        return _PIXEL * weighted_squares(drawn.picture, batch.target, weight)
    return picture_loss(drawn.picture, batch.target, weight)


def _sae(drawn: Drawing, batch: Batch, config: TrainConfig) -> Tensor:
    """DSSIM, or squared error, at every scale that is drawn."""
    side = window(batch.target.shape[-1])
    target, mask = batch.target, batch.mask
    total = _eyes_mouth(drawn, batch, config)
    for scale, picture in enumerate((drawn.picture, *drawn.smaller)):
        if scale:
            target, mask = F.avg_pool2d(target, 2), F.avg_pool2d(mask, 2)
        soft = soft_mask(mask) if config.masked_training else torch.ones_like(mask)
        total = total + _apart(picture * soft, target * soft, config.pixel_loss, side)
    return total


def _saehd(drawn: Drawing, batch: Batch, config: TrainConfig) -> Tensor:
    """DSSIM of one or two windows, and squared error."""
    resolution = batch.target.shape[-1]
    soft = (2 * soft_mask(batch.mask).clamp(0, 0.5)) if config.masked_training else torch.ones_like(batch.mask)
    a, b = drawn.picture * soft, batch.target * soft
    squares = 10 * (a - b).square().mean()
    if config.pixel_loss or resolution < _SMALL:
        main = _apart(a, b, config.pixel_loss, window(resolution))
    else:
        main = (_apart(a, b, False, window(resolution)) + _apart(a, b, False, int(resolution / 23.2))) / 2
    return main + squares + _eyes_mouth(drawn, batch, config)


def _eyes_mouth(drawn: Drawing, batch: Batch, config: TrainConfig) -> Tensor:
    if not config.eyes_mouth_prio:
        return batch.target.new_zeros(())
    return _EYES_MOUTH * ((drawn.picture - batch.target) * batch.features).abs().mean()


_RECIPES: dict[ModelName, Callable[[Drawing, Batch, TrainConfig], Tensor]] = {
    "guided": _guided,
    "sae": _sae,
    "saehd": _saehd,
    "amp": _saehd,
}
