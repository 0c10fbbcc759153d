"""What training and merging know of a network, whatever its architecture."""

from typing import NamedTuple

import torch
from torch import Tensor, nn


class Drawing(NamedTuple):
    """What a decoder draws."""

    picture: Tensor
    """(B, 3, R, R) RGB in [0, 1]."""
    mask: Tensor | None
    """(B, 1, R, R) in [0, 1], 1 where the face is; none if the network does not learn it."""
    smaller: tuple[Tensor, ...] = ()
    """The picture at R/2 and R/4, if the network draws it at several scales."""

    def rows(self, start: int, end: int | None = None) -> "Drawing":
        """The drawings of some of the faces."""
        mask = None if self.mask is None else self.mask[start:end]
        return Drawing(self.picture[start:end], mask, tuple(small[start:end] for small in self.smaller))


class Faces(NamedTuple):
    """What a network sees of one person."""

    picture: Tensor
    """(B, 3, R, R) RGB in [0, 1]."""
    points: Tensor
    """(B, P, 2) float32 landmarks and irises, crop coordinates in [-1, 1]; only some architectures look at them."""


class Pass(NamedTuple):
    """All that one pass through a network gives."""

    src: Drawing
    """src's faces redrawn."""
    dst: Drawing
    """dst's faces redrawn."""
    swap: Drawing | None
    """src's face with what dst's does, if asked for."""
    src_code: Tensor
    """(B, C, h, w) what src's faces are drawn from."""
    dst_code: Tensor
    """(B, C, h, w) what dst's faces are drawn from."""


class Autoencoder(nn.Module):
    """A pair's network."""

    begins_anew: tuple[str, ...] = ()
    """Parts that get fresh weights when pretraining ends: what ties the code to a person."""

    def forward(self, src: Faces, dst: Faces, *, swap: bool = False, generator: torch.Generator | None = None) -> Pass:
        """Redraw the faces of both people, the encoder seeing both in one call.

        Args:
            src, dst: the same number of faces of each person.
            swap: draw src's face for dst's, too.
            generator: on the processor; for architectures whose training is random. None takes the middle way.
        """
        raise NotImplementedError

    def swap(self, dst: Faces, morph: float = 1.0, dst_mask: bool = True) -> tuple[Drawing, Tensor | None]:
        """Draw dst's faces as src; and the (B, 1, R, R) mask that is seen of dst, if the network learns masks.

        Args:
            dst: faces.
            morph: how far dst becomes src, 0 to 1; only some architectures can stop halfway.
            dst_mask: draw dst, too, for its mask; without, that is left out.
        """
        raise NotImplementedError


class Df(Autoencoder):
    """An encoder for both people, a decoder for each."""

    def __init__(
        self, encoder: nn.Module, inter: nn.Module, decoders: tuple[nn.Module, nn.Module], begins_anew: tuple[str, ...]
    ) -> None:
        """Join the parts: encoder (picture, points), what makes the code of its output, src's and dst's decoder."""
        super().__init__()
        self.encoder, self.inter = encoder, inter
        self.decoder_src, self.decoder_dst = decoders
        self.begins_anew = begins_anew

    def forward(self, src: Faces, dst: Faces, *, swap: bool = False, generator: torch.Generator | None = None) -> Pass:
        """See Autoencoder."""
        count = len(src.picture)
        code = self.inter(self.encoder(*joined(src, dst)))
        drawn = self.decoder_src(code if swap else code[:count])
        third = drawn.rows(count) if swap else None
        return Pass(drawn.rows(0, count), self.decoder_dst(code[count:]), third, code[:count], code[count:])

    def swap(self, dst: Faces, morph: float = 1.0, dst_mask: bool = True) -> tuple[Drawing, Tensor | None]:
        """See Autoencoder; always all of src."""
        code = self.inter(self.encoder(*dst))
        return self.decoder_src(code), self.decoder_dst(code).mask if dst_mask else None


class Liae(Autoencoder):
    """An encoder and a decoder for both people, and a code of two halves: AB is made of both, B of dst alone.

    src is drawn from AB twice, dst from B and AB, the swap from dst's AB twice.
    """

    begins_anew = ("inter_ab",)

    def __init__(self, encoder: nn.Module, inter_ab: nn.Module, inter_b: nn.Module, decoder: nn.Module) -> None:
        super().__init__()
        self.encoder, self.inter_ab, self.inter_b, self.decoder = encoder, inter_ab, inter_b, decoder

    def forward(self, src: Faces, dst: Faces, *, swap: bool = False, generator: torch.Generator | None = None) -> Pass:
        """See Autoencoder."""
        count = len(src.picture)
        seen = self.encoder(*joined(src, dst))
        ab, b = self.inter_ab(seen), self.inter_b(seen[count:])
        codes = [torch.cat([ab[:count]] * 2, 1), torch.cat([b, ab[count:]], 1)]
        return redraw_shared(self.decoder, codes[0], codes[1], torch.cat([ab[count:]] * 2, 1) if swap else None)

    def swap(self, dst: Faces, morph: float = 1.0, dst_mask: bool = True) -> tuple[Drawing, Tensor | None]:
        """See Autoencoder; always all of src."""
        seen = self.encoder(*dst)
        ab = self.inter_ab(seen)
        if not dst_mask:
            return self.decoder(torch.cat([ab, ab], 1)), None
        b = self.inter_b(seen)
        drawn: Drawing = self.decoder(torch.cat([torch.cat([ab, ab], 1), torch.cat([b, ab], 1)]))
        return drawn.rows(0, len(seen)), drawn.rows(len(seen)).mask


def redraw_shared(decoder: nn.Module, src: Tensor, dst: Tensor, swap: Tensor | None) -> Pass:
    """The pass of a network with one decoder for all, in one call; (B, ...) codes of each drawing."""
    count = len(src)
    drawn: Drawing = decoder(torch.cat([src, dst] if swap is None else [src, dst, swap]))
    third = None if swap is None else drawn.rows(2 * count)
    return Pass(drawn.rows(0, count), drawn.rows(count, 2 * count), third, src, dst)


def joined(src: Faces, dst: Faces) -> Faces:
    """Faces of both people in one batch, src's first."""
    return Faces(torch.cat([src.picture, dst.picture]), torch.cat([src.points, dst.points]))
