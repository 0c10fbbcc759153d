"""Two clips of a second or less, small, each with a face that is found."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.color import rgb_to_picture
from lookalike.faces import FaceFinder
from lookalike.sample import Portrait, Role, animate, load_portraits, plan_motion, speech_like
from lookalike.types import ColorSpace, ColorTags, Frame, VideoInfo
from lookalike.video import VideoWriter, join_segments, segment_suffix, write_sound

SIZE_WH: Final = (160, 160)
FRAMES: Final[dict[Role, int]] = {"src": 5, "dst": 6}
FACE_BOX: Final = (46.0, 43.0, 110.0, 118.0)
"""About where dst's face is, frame pixels."""
_COLOR: Final = ColorSpace("bt709", False, 8)
_RATE, _TICKS = Fraction(25), 512
_EVERY: Final = 12
"""Frames of the motion from one frame of the clip to the next, so that something moves."""


def draw_clips(folder: Path) -> None:
    """Write `src.mp4` without sound and `dst.mp4` with sound."""
    roles: tuple[Role, Role] = ("src", "dst")
    for role, portrait in zip(roles, load_portraits(), strict=True):
        _draw(portrait, role, folder / f"{role}.mp4")


def _draw(portrait: Portrait, role: Role, path: Path) -> None:
    mesh = FaceFinder().find(portrait.image)[0].mesh
    motions = plan_motion(role, 1, FRAMES[role] * _EVERY)[::_EVERY]
    info = VideoInfo(
        path=path.with_name("drawn"),
        size_wh=SIZE_WH,
        pixel_format="yuv420p",
        color=_COLOR,
        tags=ColorTags(1, 1, 1, 1),
        frame_count=len(motions),
        rate=_RATE,
        time_base=1 / (_RATE * _TICKS),
        sample_aspect_ratio=Fraction(1),
        rotation=0,
        duration_seconds=float(len(motions) / _RATE),
        audio_tracks=0,
    )
    pictures, sound = path.with_name(f".{path.stem}{segment_suffix('h264')}"), path.with_name(f".{path.stem}.m4a")
    with VideoWriter(pictures, info) as writer:
        for frame in _frames(animate(portrait, mesh, motions), info.time_base):
            writer.write(frame)
    if role == "dst":
        write_sound(sound, speech_like([motion.mouth_open for motion in motions]), 48_000)
    join_segments([pictures], info, path, sound if role == "dst" else None, {})
    pictures.unlink()
    sound.unlink(missing_ok=True)


def _frames(images: Iterator[NDArray[np.uint8]], time_base: Fraction) -> Iterator[Frame]:
    for number, image in enumerate(images):
        small = np.asarray(cv2.resize(image, SIZE_WH, interpolation=cv2.INTER_AREA), np.float32) / np.float32(255)
        yield Frame(rgb_to_picture(small, _COLOR, 1, 1), number, number * _TICKS, time_base)
