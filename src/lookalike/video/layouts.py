"""Names of pixel formats, taken apart: which planes, how many bits, with alpha or without."""

import re
from dataclasses import dataclass, replace
from typing import Final, Literal

Chroma = Literal["420", "422", "444", "rgb"]
"""Size of Cb and Cr; rgb for planes that are G, B, R."""

_PLANAR: Final = re.compile(
    r"(?:yuv(?P<alpha>[ja]?)(?P<chroma>420|422|444)|gbr(?P<rgb_alpha>a?))p(?P<bits>\d*)(?:le)?$"
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Planes of a picture."""

    chroma: Chroma
    bits: int
    """Of a sample."""
    alpha: bool = False

    @property
    def name(self) -> str:
        """The planar pixel format of FFmpeg, e.g. yuv420p10le, yuva444p or gbrp16le."""
        letter = "a" if self.alpha else ""
        kind = f"gbr{letter}p" if self.chroma == "rgb" else f"yuv{letter}{self.chroma}p"
        return kind + (f"{self.bits}le" if self.bits > 8 else "")

    @property
    def text(self) -> str:
        """In words: 4:2:0 of 10 bits, RGB of 8 bits with alpha."""
        kind = "RGB" if self.chroma == "rgb" else ":".join(self.chroma)
        return f"{kind} of {self.bits} bits" + (" with alpha" if self.alpha else "")

    @property
    def opaque(self) -> "Layout":
        """The same without alpha."""
        return replace(self, alpha=False)


PACKED: Final[dict[str, Layout]] = {
    "rgb24": Layout("rgb", 8),
    "bgr0": Layout("rgb", 8),
    "bgra": Layout("rgb", 8, alpha=True),
    "nv12": Layout("420", 8),
    "p010le": Layout("420", 10),
}
"""What pixel formats that encoders take hold, where samples are not in planes of their own."""


def planar(pixel_format: str) -> Layout | None:
    """Layout of a planar Y, Cb, Cr or G, B, R pixel format with little-endian samples; None for any other."""
    match = _PLANAR.match(pixel_format)
    if match is None:
        return None
    chroma: Chroma = match["chroma"] or "rgb"  # type: ignore[assignment]
    return Layout(chroma, int(match["bits"] or 8), "a" in (match["alpha"], match["rgb_alpha"]))


def layout_named(pixel_format: str) -> Layout:
    """Layout of a pixel format that is written here.

    Raises:
        ValueError: it is not one of them.
    """
    found = PACKED.get(pixel_format) or planar(pixel_format)
    if found is None:
        raise ValueError(f"{pixel_format} is no planar 4:2:0, 4:2:2, 4:4:4 or RGB layout")
    return found
