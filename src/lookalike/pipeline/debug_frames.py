"""Whole frames with their faces drawn: to look through, and to delete where a face is wrong."""

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lookalike.color import picture_to_rgb8
from lookalike.curation.drawing import draw_frame
from lookalike.faceset import faces_by_frame, list_faces, load_record
from lookalike.files import replacing, storage_errors
from lookalike.parallel import ordered_map
from lookalike.types import Event, Frame, Message, Progress, VideoInfo
from lookalike.video import read_frames

_QUALITY = 85
_WORKERS = 2


def debug_name(frame: int) -> str:
    """File name of a frame's picture, numbered from 1 as the frames are."""
    return f"{frame + 1:05d}.jpg"


def missing_debug_frames(folder: Path, count: int) -> list[int]:
    """Numbers of the frames, from 0, whose picture is gone; none where there never were any."""
    if not folder.is_dir():
        return []
    return [frame for frame in range(count) if not (folder / debug_name(frame)).is_file()]


def write_debug_frames(info: VideoInfo, aligned: Path, folder: Path, step: str) -> Iterator[Event]:
    """Draw the frames that `folder` lacks; it appears when all are there, so that one missing means one deleted."""
    building = folder if folder.is_dir() else folder.with_name(f".{folder.name}")
    with storage_errors(building):
        building.mkdir(parents=True, exist_ok=True)
    faces = faces_by_frame(aligned) if list_faces(aligned) else {}
    missing = set(missing_debug_frames(building, info.frame_count))
    if missing:
        draw = partial(draw_debug_frame, building, faces)
        frames = (f for f in read_frames(info.path, min(missing), max(missing) + 1) if f.index in missing)
        for done, _ in enumerate(ordered_map(draw, frames, _WORKERS), 1):
            yield Progress(step, done, len(missing), note="debug pictures")
        for frame in missing_debug_frames(building, info.frame_count):  # pictures lost to damage
            _write(building, frame, np.zeros((info.size_wh[1], info.size_wh[0], 3), np.uint8))
    if building != folder:
        shutil.move(building, folder)
    yield Message(step, f"drew {len(missing)} frames into {folder}; delete those that are wrong and run with --redo")


def forget_debug_frames(folder: Path, frames: Iterable[int]) -> None:
    """Remove the pictures of frames whose faces changed, to be drawn anew."""
    for frame in frames:
        (folder / debug_name(frame)).unlink(missing_ok=True)


def draw_debug_frame(folder: Path, faces: Mapping[int, Sequence[Path]], frame: Frame) -> None:
    """Write the picture of one frame with its faces, which are found by its number."""
    rgb = picture_to_rgb8(frame.picture)
    drawn = draw_frame(rgb, [load_record(path) for path in faces.get(frame.index, [])])
    _write(folder, frame.index, drawn)


def _write(folder: Path, frame: int, rgb: NDArray[np.uint8]) -> None:
    with replacing(folder / debug_name(frame)) as temporary:
        Image.fromarray(rgb).save(temporary, quality=_QUALITY)
