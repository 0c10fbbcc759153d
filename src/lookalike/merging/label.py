"""Words in the corner of a frame, which say what it is."""

from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from lookalike.color import align_box, paste_rgb
from lookalike.errors import ConfigError
from lookalike.types import Picture

_SAFE: Final = 0.05
"""Of width and height, left free at each side. Source: SMPTE ST 2046-1, safe title area of 90 %."""
_CAPITAL: Final = 0.025
"""Height of a capital letter, of the shorter side of the frame."""
_LEAST_CAPITAL: Final = 9
"""Pixels; less cannot be read."""
_PLATE: Final = 0.6
"""How dark the plate behind the letters is, in [0, 1]; light letters are readable on it before any picture."""
_ROOM: Final = (0.8, 0.65)
"""Of the plate beside, and above and below, the letters, in capitals."""
_ROUND: Final = 0.5
"""Radius of its corners, in capitals."""
_CAPITALS_OF_SIZE: Final = 0.7
"""Height of a capital letter of the font, of its size."""
_FINER: Final = 4
"""Corners of the plate are drawn so many times larger and reduced."""
_NO_LETTER: Final = "\uffff"


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """A label by itself."""

    left_top: tuple[int, int]
    """Frame pixels."""
    light: NDArray[np.float32]
    """(H, W) in [0, 1], 1 for white, 0 for black."""
    cover: NDArray[np.float32]
    """(H, W) in [0, 1], how much of the picture is covered."""


def labelled(picture: Picture, text: str, white: float = 1.0) -> Picture:
    """The picture with words at its top left, light on a dark plate.

    Args:
        picture: any size, colour space and depth; outside of the plate its samples stay. Alpha is full under the plate.
        text: one line.
        white: code in [0, 1] of the letters.

    Raises:
        ConfigError: see `check_label`.
    """
    drawn = _drawn(text, *picture.size_wh)
    left, top = drawn.left_top
    height, width = drawn.cover.shape
    box = align_box((left, top, left + width, top + height), picture)
    missing = ((top - box[1], box[3] - top - height), (left - box[0], box[2] - left - width))
    light, cover = (np.pad(part, missing) for part in (drawn.light, drawn.cover))
    new = paste_rgb(picture, np.repeat(light[..., None] * np.float32(white), 3, axis=2), cover, box)
    return opaque(new, cover, box)


def opaque(picture: Picture, cover: NDArray[np.float32], box: tuple[int, int, int, int]) -> Picture:
    """The picture with full alpha, if it has one, wherever something of `cover` was drawn into the box."""
    if picture.alpha is None:
        return picture
    alpha = picture.alpha.copy()
    alpha[box[1] : box[3], box[0] : box[2]][cover > 0] = (1 << picture.color.bits) - 1
    return replace(picture, alpha=alpha)


def check_label(text: str) -> None:
    """Make sure that a label can be drawn.

    Raises:
        ConfigError: it has letters that the font has not, such as Chinese ones.
    """
    missing = _missing(ImageFont.truetype(_wide_font(), 32), text) if text else []
    if missing:
        raise ConfigError(
            f"--label cannot draw {' '.join(missing)}; write it in Latin, Greek, Cyrillic, Hebrew or Arabic letters"
        )


def _missing(font: ImageFont.FreeTypeFont, text: str) -> list[str]:
    """Letters that a font draws as it draws one that there is not."""
    unknown = bytes(font.getmask(_NO_LETTER))
    return [one for one in dict.fromkeys(text) if not one.isspace() and bytes(font.getmask(one)) == unknown]


def _wide_font() -> str:
    """The file of DejaVu Sans, which Matplotlib carries; what it costs to import that is saved."""
    spec = find_spec("matplotlib")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return str(Path(spec.submodule_search_locations[0]) / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf")


@lru_cache(maxsize=4)
def _drawn(text: str, width: int, height: int) -> _Drawn:
    check_label(text)
    safe = [side * (1 - 2 * _SAFE) for side in (width, height)]
    capital = max(min(width, height) * _CAPITAL, _LEAST_CAPITAL)
    capital *= min(1.0, *(most / side for most, side in zip(safe, _plate_wh(text, capital), strict=True)))
    plate_w, plate_h = (max(1, round(side)) for side in _plate_wh(text, capital))
    plate = Image.new("L", (plate_w * _FINER, plate_h * _FINER))
    ImageDraw.Draw(plate).rounded_rectangle((0, 0, plate.width - 1, plate.height - 1), _ROUND * capital * _FINER, 255)
    cover = np.asarray(plate.resize((plate_w, plate_h), Image.Resampling.BOX), np.float32) / 255 * _PLATE
    shown = Image.new("L", (plate_w, plate_h))
    baseline = round((plate_h + capital) / 2)
    ImageDraw.Draw(shown).text((plate_w / 2, baseline), text, 255, _font(text, capital), anchor="ms")
    light = np.asarray(shown, np.float32) / 255
    total = np.asarray(light + cover * (1 - light), np.float32)
    place = round(width * _SAFE), round(height * _SAFE)
    return _Drawn(place, np.asarray(light / np.maximum(total, np.float32(1e-6)), np.float32), total)


def _plate_wh(text: str, capital: float) -> tuple[float, float]:
    return _font(text, capital).getlength(text) + 2 * _ROOM[0] * capital, capital * (1 + 2 * _ROOM[1])


def _font(text: str, capital: float) -> ImageFont.FreeTypeFont:
    """A font, of the size in which a capital letter is so high: the one inside Pillow if it has all letters."""
    default = ImageFont.load_default(capital / _CAPITALS_OF_SIZE)
    if isinstance(default, ImageFont.FreeTypeFont) and not _missing(default, text):
        return default
    return ImageFont.truetype(_wide_font(), capital / _CAPITALS_OF_SIZE)
