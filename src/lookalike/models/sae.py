"""sae: the styled autoencoder of DeepFaceLab (2019-06-20), with the same layers and numbers of weights.

Convolutions of stride 2 are padded by two pixels on each side; there it was one before and two after.
"""

from torch import Tensor, nn

from lookalike.models.autoencoder import Autoencoder, Df, Drawing, Liae
from lookalike.models.blocks import Down, Residual, Up
from lookalike.models.config import SaeConfig


class Encoder(nn.Module):
    """(B, 3, R, R) to (B, 8e, R/16, R/16), e being three times the encoder dims."""

    def __init__(self, config: SaeConfig) -> None:
        super().__init__()
        e = 3 * config.e_ch_dims
        self.down = nn.Sequential(Down(3, e), Down(e, 2 * e), Down(2 * e, 4 * e), Down(4 * e, 8 * e))

    def forward(self, picture: Tensor, points: Tensor) -> Tensor:
        """Encode pictures in [0, 1]; the points are not looked at."""
        return self.down(picture)  # type: ignore[no-any-return]


class Inter(nn.Module):
    """Encoder output to (B, channels, R/8, R/8), through a bottleneck of A numbers."""

    def __init__(self, config: SaeConfig, channels: int) -> None:
        super().__init__()
        side = config.resolution // 16
        self._shape = (channels, side, side)
        self.squeeze = nn.Linear(24 * config.e_ch_dims * side**2, config.ae_dims)
        self.expand = nn.Linear(config.ae_dims, channels * side**2)
        self.up = Up(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Through the bottleneck."""
        return self.up(self.expand(self.squeeze(x.flatten(1))).unflatten(1, self._shape))  # type: ignore[no-any-return]


class Stage(nn.Sequential):
    """Twice the side, two residual blocks."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(Up(channels_in, channels_out), Residual(channels_out), Residual(channels_out))


class Decoder(nn.Module):
    """(B, channels, R/8, R/8) code to a picture of side R, and, as asked for, smaller ones and a mask."""

    def __init__(self, config: SaeConfig, channels: int) -> None:
        super().__init__()
        d, m = 3 * config.d_ch_dims, config.d_ch_dims
        self.stages = nn.ModuleList([Stage(channels, 8 * d), Stage(8 * d, 4 * d), Stage(4 * d, 2 * d)])
        self.out = nn.Conv2d(2 * d, 3, 5, 1, 2)
        self.smaller = nn.ModuleList(
            [nn.Conv2d(n * d, 3, 5, 1, 2) for n in (8, 4)] if config.multiscale_decoder else []
        )
        self.mask = (
            nn.Sequential(Up(channels, 8 * m), Up(8 * m, 4 * m), Up(4 * m, 2 * m), nn.Conv2d(2 * m, 1, 5, 1, 2))
            if config.learn_mask
            else None
        )

    def forward(self, code: Tensor) -> Drawing:
        """Draw from a code."""
        x, drawn = code, []
        for stage in self.stages:
            x = stage(x)
            drawn.append(x)
        smaller = [out(small).float().sigmoid() for out, small in zip(self.smaller, drawn, strict=False)]
        mask = None if self.mask is None else self.mask(code).float().sigmoid()
        return Drawing(self.out(x).float().sigmoid(), mask, tuple(reversed(smaller)))


def build_sae(config: SaeConfig) -> Autoencoder:
    """A network of the size that `config` says, with the default weights of torch."""
    a = config.ae_dims
    if config.archi == "df":
        return Df(Encoder(config), Inter(config, a), (Decoder(config, a), Decoder(config, a)), ("inter",))
    return Liae(Encoder(config), Inter(config, 2 * a), Inter(config, 2 * a), Decoder(config, 4 * a))
