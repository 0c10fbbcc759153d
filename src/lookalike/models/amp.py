"""amp: the AMP network of DeepFaceLab 2. Each person has a part that makes a code of what the encoder saw; one decoder.

In training src's face is drawn from a code whose channels come at random from src's or from dst's part, so that codes
between the two have a meaning; at merge the morph factor says how many channels of dst's face are made by src's part.
"""

import torch
from torch import Tensor, nn

from lookalike.models.autoencoder import Autoencoder, Drawing, Faces, Pass, joined, redraw_shared
from lookalike.models.blocks import unit_length
from lookalike.models.config import AmpConfig
from lookalike.models.saehd import Decoder
from lookalike.models.saehd import Encoder as DeepEncoder

_OWN = 0.5
"""Chance that a channel of src's code is made by src's part; DeepFaceLab 2's default morph factor in training."""


class Encoder(nn.Module):
    """(B, 3, R, R) to (B, A): the deep encoder of saehd-ut and the bottleneck."""

    def __init__(self, config: AmpConfig) -> None:
        super().__init__()
        self.deep = DeepEncoder(config.e_dims, "t")
        self.squeeze = nn.Linear(self.deep.size(config.resolution), config.ae_dims)

    def forward(self, picture: Tensor, points: Tensor) -> Tensor:
        """Encode pictures in [0, 1]; the points are not looked at."""
        return self.squeeze(unit_length(self.deep(picture, points)))  # type: ignore[no-any-return]


class Inter(nn.Module):
    """(B, A) to a code of (B, channels, R/32, R/32)."""

    def __init__(self, config: AmpConfig) -> None:
        super().__init__()
        side = config.resolution // 32
        self._shape = (config.inter_dims, side, side)
        self.expand = nn.Linear(config.ae_dims, config.inter_dims * side**2)

    def forward(self, seen: Tensor) -> Tensor:
        """One person's code of what was seen."""
        return self.expand(seen).unflatten(1, self._shape)  # type: ignore[no-any-return]


class Amp(Autoencoder):
    """See the module."""

    begins_anew = ("inter_src", "inter_dst")

    def __init__(self, config: AmpConfig) -> None:
        super().__init__()
        self.encoder = Encoder(config)
        self.inter_src, self.inter_dst = Inter(config), Inter(config)
        self.decoder = Decoder(config.inter_dims, config.d_dims, config.d_mask_dims, "td")

    def forward(
        self,
        src: Faces,
        dst: Faces,
        *,
        swap: bool = False,
        generator: torch.Generator | None = None,
        share: tuple[int, int] = (0, 1),
    ) -> Pass:
        """See Autoencoder; without a generator src's face is drawn from src's part alone.

        With share (r, w) these faces are number r, r + w, ... of a batch, and draw what they would draw in it.
        """
        count = len(src.picture)
        seen = self.encoder(*joined(src, dst))
        code_dst = self.inter_dst(seen)
        own = self.inter_src(seen if swap else seen[:count])
        code_src = own[:count]
        if generator is not None:
            first, step = share
            chosen = torch.rand((count * step, code_src.shape[1]), generator=generator)[first::step] < _OWN
            code_src = torch.where(chosen.to(own.device)[:, :, None, None], code_src, code_dst[:count])
        return redraw_shared(self.decoder, code_src, code_dst[count:], own[count:] if swap else None)

    def swap(self, dst: Faces, morph: float = 1.0, dst_mask: bool = True) -> tuple[Drawing, Tensor | None]:
        """See Autoencoder; the first of the channels are made by src's part, as many as `morph` says."""
        seen = self.encoder(*dst)
        code = self.inter_dst(seen)
        channels = int(code.shape[1] * morph)
        mixed = torch.cat([self.inter_src(seen)[:, :channels], code[:, channels:]], 1)
        if not dst_mask:
            return self.decoder(mixed), None
        drawn: Drawing = self.decoder(torch.cat([mixed, code]))
        return drawn.rows(0, len(seen)), drawn.rows(len(seen)).mask


def build_amp(config: AmpConfig) -> Autoencoder:
    """A network of the size that `config` says, with the default weights of torch."""
    return Amp(config)
