"""guided: one encoder that sees both people and where their landmarks are, one decoder for each.

Source: the df architecture of DeepFaceLab's SAE (2019). Three things differ, all for speed: the mask is a fourth
channel of the picture's decoder instead of a second decoder; the first and the last layer work at half the resolution,
on four pixels at once (the -d variant of later versions did so at the end); a 1x1 convolution narrows the code before
the bottleneck. Profiled at 96 pixels on a busy processor, three
steps took 1.46 instead of 1.85 s.
"""

from torch import Tensor, nn

from lookalike.landmarks import GUIDE_POINTS
from lookalike.models.autoencoder import Autoencoder, Df, Drawing
from lookalike.models.blocks import Down, Fold, Leaky, Residual, Up
from lookalike.models.config import GuidedConfig


class Encoder(nn.Module):
    """(B, 3, R, R) picture and (B, P, 2) points to (B, A, R/8, R/8) code, through a bottleneck of A numbers."""

    def __init__(self, config: GuidedConfig) -> None:
        super().__init__()
        e, a = config.e_dims, config.ae_dims
        self._side = config.resolution // 16
        self._code = a
        self.down = nn.Sequential(
            Fold(3, e),
            Down(e, 2 * e),
            Down(2 * e, 4 * e),
            Down(4 * e, 8 * e),
            nn.Conv2d(8 * e, a // 2, 1),
        )
        self.squeeze = nn.Linear(a // 2 * self._side**2, a)
        self.guide = (
            nn.Sequential(nn.Linear(2 * GUIDE_POINTS, a), Leaky(0.1), nn.Linear(a, a)) if config.guide else None
        )
        self.expand = nn.Linear(a, a * self._side**2)
        self.up = Up(a, a)

    def forward(self, picture: Tensor, points: Tensor) -> Tensor:
        """Encode pictures in [0, 1] whose landmarks lie at `points`, crop coordinates in [-1, 1]."""
        bottleneck = self.squeeze(self.down(picture).flatten(1))
        if self.guide is not None:
            bottleneck = bottleneck + self.guide(points.flatten(1))
        code = self.expand(bottleneck).unflatten(1, (self._code, self._side, self._side))
        return self.up(code)  # type: ignore[no-any-return]


class Decoder(nn.Module):
    """(B, A, R/8, R/8) code to a picture and a mask of side R."""

    def __init__(self, config: GuidedConfig) -> None:
        super().__init__()
        a, d, n = config.ae_dims, config.d_dims, config.res_blocks
        self.body = nn.Sequential(
            Up(a, 8 * d),
            *(Residual(8 * d) for _ in range(n)),
            Up(8 * d, 4 * d),
            *(Residual(4 * d) for _ in range(n)),
        )
        self.out = nn.Sequential(nn.Conv2d(4 * d, 16, 3, 1, 1), nn.PixelShuffle(2))

    def forward(self, code: Tensor) -> Drawing:
        """Draw from a code."""
        drawn = self.out(self.body(code)).float().sigmoid()
        return Drawing(drawn[:, :3], drawn[:, 3:])


def build_guided(config: GuidedConfig) -> Autoencoder:
    """A network of the size that `config` says, with the default weights of torch."""
    tied = ("encoder.squeeze", "encoder.expand", *(["encoder.guide"] if config.guide else []))
    return Df(Encoder(config), nn.Identity(), (Decoder(config), Decoder(config)), tied)
