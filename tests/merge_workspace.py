"""A workspace ready to be merged: a drawn dst video, its faceset, and a small network that was never trained."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import numpy as np

from drawn_faces import DST, FRAME_WH, draw_person
from lookalike.color import rgb_to_picture
from lookalike.faceset import face_name, make_face, save_face
from lookalike.models.build import build_model
from lookalike.models.checkpoint import TrainState, save_checkpoint
from lookalike.pipeline.workspace import Workspace
from lookalike.types import ColorSpace, ColorTags, Frame, VideoInfo
from lookalike.video import EncodeOptions, VideoWriter
from merge_scene import TINY

BT709 = ColorTags(1, 1, 1, 1)


@dataclass(frozen=True, slots=True)
class Kind:
    """How the drawn video is stored."""

    bits: int = 8
    shift_x: int = 1
    shift_y: int = 1
    full_range: bool = False
    rotation: Literal[0, 90, 180, 270] = 0
    aspect: Fraction = Fraction(1)
    tags: ColorTags = BT709


def video_info(path: Path, count: int, kind: Kind) -> VideoInfo:
    """Of a drawn video at 25 frames a second."""
    chroma = {(1, 1): 420, (1, 0): 422, (0, 0): 444}[kind.shift_x, kind.shift_y]
    rate = Fraction(25)
    return VideoInfo(
        path=path,
        size_wh=FRAME_WH,
        pixel_format=f"yuv{chroma}p" + (f"{kind.bits}le" if kind.bits > 8 else ""),
        color=ColorSpace("bt709", kind.full_range, kind.bits),
        tags=ColorTags(kind.tags.primaries, kind.tags.transfer, kind.tags.matrix, 2 if kind.full_range else 1),
        frame_count=count,
        rate=rate,
        time_base=1 / (rate * 512),
        sample_aspect_ratio=kind.aspect,
        rotation=kind.rotation,
        duration_seconds=count / 25,
        audio_tracks=0,
    )


def write_video(path: Path, count: int, kind: Kind, without_face: frozenset[int] = frozenset()) -> None:
    """Pictures of a drawn person as ffv1; grey noise where there is no face."""
    info = video_info(path, count, kind)
    shifts = (kind.shift_x, kind.shift_y) if kind.rotation % 180 == 0 else (kind.shift_y, kind.shift_x)
    with VideoWriter(path, info, EncodeOptions(codec="ffv1")) as writer:
        for number in range(count):
            rng = np.random.default_rng(number)
            rgb = draw_person(DST, number)[0].astype(np.float32)
            if number in without_face:
                rgb[:] = 128
            noisy = (rgb + rng.normal(0, 6, rgb.shape)).clip(0, 255) / 255
            picture = rgb_to_picture(noisy.astype(np.float32), info.color, *shifts)
            writer.write(Frame(picture, number, number * 512, info.time_base))


def merge_workspace(
    folder: Path,
    count: int = 10,
    kind: Kind | None = None,
    without_face: frozenset[int] = frozenset(),
    models: tuple[str, ...] = ("guided",),
) -> Workspace:
    """A workspace with a dst of `count` frames."""
    video = folder / "dst.mkv"
    write_video(video, count, kind or Kind(), without_face)
    workspace = Workspace.create(folder / "ws")
    workspace.set_video("dst", video)
    workspace.aligned("dst").mkdir(parents=True)
    for number in sorted(set(range(count)) - without_face):
        rgb, face = draw_person(DST, number)
        crop, record = make_face(
            rgb,
            face,
            source="dst.mkv",
            frame=number,
            time_seconds=number / 25,
            number=0,
            size=64,
            face_type="full",
            track=0,
        )
        save_face(workspace.aligned("dst") / face_name(record), crop, record)
    for seed, name in enumerate(models):
        model = build_model(TINY, seed)
        save_checkpoint(workspace.model(name), model.state_dict(), {}, TrainState(model=TINY, step=5))
    return workspace
