"""The whole job on two clips that are drawn on the spot."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from lookalike.color import rgb_to_picture
from lookalike.errors import NoFaceError
from lookalike.faces import FaceFinder
from lookalike.models.config import ModelConfig
from lookalike.pipeline.swap import swap
from lookalike.sample import FRAMES_PER_SECOND, Portrait, Role, animate, load_portraits, plan_motion, speech_like
from lookalike.training.config import TrainConfig
from lookalike.types import ColorSpace, ColorTags, Event, Frame, Message, Progress, VideoInfo
from lookalike.video import VideoWriter, join_segments, segment_suffix, write_sound

_FRAMES: dict[Role, int] = {"src": 300, "dst": 200}
_SEED = 1
_TICKS = 512
"""Ticks a frame."""


def demo(folder: Path, model: ModelConfig, training: TrainConfig) -> Iterator[Event]:
    """Draw two clips into `folder` and swap the face of one into the other: `result.mp4` and a report.

    Both portraits are in the public domain and come with installed packages; no network is used.

    Raises:
        StorageError: the disk is full.
    """
    roles: tuple[Role, Role] = ("src", "dst")
    paths: dict[Role, Path] = {}
    for role, portrait in zip(roles, load_portraits(), strict=True):
        paths[role] = folder / f"{portrait.name}.mp4"
        if paths[role].is_file():
            yield Message("demo", f"reused {paths[role]}")
        else:
            yield from draw_clip(portrait, role, paths[role], _FRAMES[role])
    yield from swap(
        paths["src"],
        paths["dst"],
        folder / "result.mp4",
        model,
        training,
        workspace=folder / "workspace",
    )
    yield Message("demo", f"look at {folder / 'result.mp4'} and {folder / 'workspace' / 'report' / 'index.html'}")


def draw_clip(portrait: Portrait, role: Role, path: Path, frames: int) -> Iterator[Event]:
    """Animate a portrait into a video of `frames`; dst's speaks."""
    found = FaceFinder().find(portrait.image)
    if not found:
        raise NoFaceError(f"no face was found on the portrait {portrait.name}; its package may be damaged")
    motions = plan_motion(role, _SEED, frames)
    height, width = portrait.image.shape[:2]
    color = ColorSpace("bt709", False, 8)
    rate = Fraction(FRAMES_PER_SECOND)
    info = VideoInfo(
        path=path,
        size_wh=(width, height),
        pixel_format="yuv420p",
        color=color,
        tags=ColorTags(1, 1, 1, 1),
        frame_count=len(motions),
        rate=rate,
        time_base=1 / (rate * _TICKS),
        sample_aspect_ratio=Fraction(1),
        rotation=0,
        duration_seconds=float(len(motions) / rate),
        audio_tracks=0,
    )
    picture_path = path.with_name(f".{path.stem}{segment_suffix('h264')}")
    sound_path = path.with_name(f".{path.stem}.m4a") if role == "dst" else None
    with VideoWriter(picture_path, info) as writer:
        for index, image in enumerate(animate(portrait, found[0].mesh, motions)):
            writer.write(Frame(rgb_to_picture(image, color, 1, 1), index, index * _TICKS, info.time_base))
            yield Progress("demo", index + 1, len(motions), note=f"drawing {path.name}")
    if sound_path:
        write_sound(sound_path, speech_like([motion.mouth_open for motion in motions]), 48_000)
    join_segments(
        [picture_path], info, path, sound_path, {"title": portrait.name, "comment": "drawn by lookalike demo"}
    )
    for leftover in filter(None, (picture_path, sound_path)):
        leftover.unlink()
