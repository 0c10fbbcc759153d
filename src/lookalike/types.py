"""Data that travels between stages. Frozen, self-checking, with units in the names."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Matrix = Literal["bt601", "bt709", "bt2020", "smpte240m", "fcc", "rgb"]
"""Luma-chroma matrix of a video; which one is decided once, when it is opened. rgb: the planes are G, B, R."""


@dataclass(frozen=True, slots=True)
class ColorSpace:
    """How the numbers in Y, Cb, Cr planes stand for R'G'B'."""

    matrix: Matrix
    full_range: bool
    """True: 0..2^bits - 1 (JPEG); False: 16..235 and 16..240, scaled to bits (MPEG)."""
    bits: int
    """Bits of a sample, 8 to 16."""

    def __post_init__(self) -> None:
        if not 8 <= self.bits <= 16:
            raise ValueError(f"bits must be 8..16, got {self.bits}")


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One picture as Y, Cb, Cr planes, exactly as decoded."""

    planes: tuple[NDArray[np.generic], NDArray[np.generic], NDArray[np.generic]]
    """Y (H, W), Cb and Cr (ceil(H / 2^sy), ceil(W / 2^sx)); uint8 for 8 bits, else uint16."""
    color: ColorSpace
    alpha: NDArray[np.generic] | None = None
    """(H, W) of the type of the planes, 0 for transparent to 2^bits - 1, straight; None for a picture without."""

    def __post_init__(self) -> None:
        y, u, v = self.planes
        want = np.uint8 if self.color.bits == 8 else np.uint16
        if any(p.ndim != 2 or p.dtype != want for p in self.planes):
            raise ValueError(
                f"planes must be 2-D {np.dtype(want)}, got {[(p.shape, str(p.dtype)) for p in self.planes]}"
            )
        if u.shape != v.shape:
            raise ValueError(f"chroma planes differ: {u.shape} and {v.shape}")
        if any(c not in (s, (s + 1) // 2, (s + 3) // 4) for s, c in zip(y.shape, u.shape, strict=True)):
            raise ValueError(f"chroma {u.shape} is no whole subsampling of luma {y.shape}")
        if self.alpha is not None and (self.alpha.shape != y.shape or self.alpha.dtype != want):
            raise ValueError(f"alpha {self.alpha.shape} {self.alpha.dtype} is not like luma {y.shape} {y.dtype}")

    @property
    def size_wh(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self.planes[0].shape[1], self.planes[0].shape[0]


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded picture of a video, upright, with its place in time."""

    picture: Picture
    index: int
    """Number in presentation order, from 0."""
    pts: int
    """Presentation time, in ticks of time_base."""
    time_base: Fraction
    """Seconds per tick, e.g. 1/90000."""

    @property
    def seconds(self) -> float:
        """Presentation time in seconds."""
        return float(self.pts * self.time_base)


@dataclass(frozen=True, slots=True)
class ColorTags:
    """What the container says of colour, kept as the numbers of ISO/IEC 23091-2; 2 means unspecified."""

    primaries: int = 2
    transfer: int = 2
    matrix: int = 2
    range: int = 0
    """0 unspecified, 1 limited, 2 full."""


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What is known of a video before its pictures are decoded."""

    path: Path
    size_wh: tuple[int, int]
    """Upright: after rotation."""
    pixel_format: str
    """As stored, e.g. yuv420p10le."""
    color: ColorSpace
    tags: ColorTags
    frame_count: int
    """Pictures in the file by its packets; a damaged file may yield fewer."""
    rate: Fraction
    """Average frames per second."""
    time_base: Fraction
    sample_aspect_ratio: Fraction
    rotation: Literal[0, 90, 180, 270]
    """Counter-clockwise degrees that a player turns the stored picture by."""
    duration_seconds: float
    audio_tracks: int
    interlaced: bool = False
    """As stored; frames are handed out whole."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face found in a picture."""

    box_xyxy: NDArray[np.float32]
    """(4,) left, top, right, bottom in frame pixels; may reach outside the frame."""
    score: float
    """The detector's confidence, 0..1."""
    landmarks: NDArray[np.float32]
    """(68, 2) x, y in frame pixels, iBUG order; integer coordinates are pixel centres."""
    mesh: NDArray[np.float32]
    """(478, 2) x, y in frame pixels, MediaPipe order."""

    def __post_init__(self) -> None:
        for name, shape in (("box_xyxy", (4,)), ("landmarks", (68, 2)), ("mesh", (478, 2))):
            got = getattr(self, name).shape
            if got != shape:
                raise ValueError(f"{name} must be {shape}, got {got}")


@dataclass(frozen=True, slots=True)
class Progress:
    """One event of long work: a bar, a log line and a test read the same thing."""

    step: str
    """extract, train, merge, encode, report or demo."""
    done: float
    total: float
    """Same unit as done; 0 when unknown."""
    unit: str = "frames"
    note: str = ""
    """What to show beside the bar: losses, people found."""


@dataclass(frozen=True, slots=True)
class Message:
    """A line that stays on the screen: what was reused, chosen, skipped or written."""

    step: str
    text: str


Event = Progress | Message
