"""What other tools call the frames of a video, and which frame a name means. Names are only looked at, never opened."""

import re
from typing import Final

from lookalike.options import shown

_NUMBER: Final = re.compile(r"(?<!\d)(\d{1,9})$", re.ASCII)
_LONGEST: Final = 120


def last_part(name: str) -> str:
    """A name without the folders in front of it, as either system writes them."""
    return re.split(r"[\\/]", name)[-1]


def frame_number(name: str) -> int | None:
    """The number at the end of a frame's name, in front of its suffix; None without one.

    `00012.png` is 12 to DeepFaceLab, `clip_000012.mp4` is 12 to faceswap.
    """
    found = _NUMBER.search(stem(name))
    return int(found[1]) if found else None


def stem(name: str) -> str:
    """A name without folders and suffix."""
    part = last_part(name)
    front, dot, _ = part.rpartition(".")
    return front if dot and front else part


def plain_name(text: str) -> str:
    """A text made a name that any file system takes, of at most 120 bytes: letters, digits and `-_.` stay."""
    kept = re.sub(r"[^\w.-]", "_", shown(last_part(text), 400))
    return kept.encode()[:_LONGEST].decode("utf-8", "ignore").strip(". ") or "face"
