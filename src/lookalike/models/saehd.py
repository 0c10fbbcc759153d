"""saehd: the SAEHD network of DeepFaceLab 2, df or liae, with its variants.

u: the encoder's output is brought to unit length. d: everything is drawn at half the side and each place gives four
pixels. t: a deeper encoder and decoder with residual blocks. c: x cos x in place of leaky ReLUs. Layers are those of
DeepFaceLab 2, so that its weights fit; where it went from depth to space it counted channels in another order.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lookalike.models.autoencoder import Autoencoder, Df, Drawing, Liae
from lookalike.models.blocks import Down, Residual, Up, unit_length
from lookalike.models.config import SaehdConfig


class Encoder(nn.Module):
    """(B, 3, R, R) to a flat code of `size(R)` numbers."""

    def __init__(self, e: int, variant: str) -> None:
        super().__init__()
        cosine = "c" in variant
        self._unit = "u" in variant
        widths = [e, 2 * e, 4 * e, 8 * e, 8 * e] if "t" in variant else [e, 2 * e, 4 * e, 8 * e]
        layers: list[nn.Module] = []
        for before, width in zip([3, *widths], widths, strict=False):
            layers.append(Down(before, width, cosine=cosine))
            if "t" in variant and len(layers) in (1, 6):
                layers.append(Residual(width, cosine=cosine))
        self.down = nn.Sequential(*layers)
        self._stages, self._channels = len(widths), widths[-1]

    def size(self, resolution: int) -> int:
        """Numbers in the code of a picture."""
        return self._channels * (resolution >> self._stages) ** 2

    def forward(self, picture: Tensor, points: Tensor) -> Tensor:
        """Encode pictures in [0, 1]; the points are not looked at."""
        code = self.down(picture).flatten(1)
        return unit_length(code) if self._unit else code


class Inter(nn.Module):
    """Flat code to (B, channels, side, side), through a bottleneck of A numbers; twice the side without t."""

    def __init__(self, size: int, ae_dims: int, channels: int, side: int, variant: str) -> None:
        super().__init__()
        self._shape = (channels, side, side)
        self.squeeze = nn.Linear(size, ae_dims)
        self.expand = nn.Linear(ae_dims, channels * side**2)
        self.up = nn.Identity() if "t" in variant else Up(channels, channels, cosine="c" in variant)

    def forward(self, code: Tensor) -> Tensor:
        """Through the bottleneck."""
        return self.up(self.expand(self.squeeze(code)).unflatten(1, self._shape))  # type: ignore[no-any-return]


class Decoder(nn.Module):
    """Code of `channels` to a picture and a mask, three or, with t, four doublings larger; one more with d."""

    def __init__(self, channels: int, d: int, m: int, variant: str) -> None:
        super().__init__()
        cosine, deep, self._fold = "c" in variant, "t" in variant, "d" in variant
        units = (8, 8, 4, 2) if deep else (8, 4, 2)
        widths = [n * d for n in units]
        body: list[nn.Module] = []
        for before, width in zip([channels, *widths], widths, strict=False):
            body += [Up(before, width, cosine=cosine), Residual(width, cosine=cosine)]
        self.body = nn.Sequential(*body)
        self.out = nn.Conv2d(2 * d, 3, 1)
        self.beside = nn.ModuleList([nn.Conv2d(2 * d, 3, 3, 1, 1) for _ in range(3 * self._fold)])
        widths = [n * m for n in (*units, 1)[: len(units) + self._fold]]
        ups = [Up(before, width, cosine=cosine) for before, width in zip([channels, *widths], widths, strict=False)]
        self.mask = nn.Sequential(*ups, nn.Conv2d(widths[-1], 1, 1))

    def forward(self, code: Tensor) -> Drawing:
        """Draw from a code."""
        x = self.body(code)
        drawn = self.out(x)
        if self._fold:
            four = torch.stack([drawn, *(out(x) for out in self.beside)], 2)
            drawn = F.pixel_shuffle(four.flatten(1, 2), 2)
        return Drawing(drawn.float().sigmoid(), self.mask(code).float().sigmoid())


def build_saehd(config: SaehdConfig) -> Autoencoder:
    """A network of the size that `config` says, with the default weights of torch."""
    a, variant = config.ae_dims, config.variant
    side = config.resolution // (32 if "d" in variant else 16)
    encoder = Encoder(config.e_dims, variant)
    size = encoder.size(config.resolution)

    def inter(channels: int) -> Inter:
        return Inter(size, a, channels, side, variant)

    def decoder(channels: int) -> Decoder:
        return Decoder(channels, config.d_dims, config.d_mask_dims, variant)

    if config.archi.startswith("df"):
        return Df(encoder, inter(a), (decoder(a), decoder(a)), ("inter",))
    return Liae(encoder, inter(2 * a), inter(2 * a), decoder(4 * a))
