"""Whole frames with their faces drawn: to look through, and to delete where a face is wrong."""

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from PIL import Image

from lookalike.color import picture_to_rgb8
from lookalike.curation.drawing import draw_frame
from lookalike.faceset import faces_by_frame, load_record
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
    faces = faces_by_frame(aligned)
    missing = set(missing_debug_frames(building, info.frame_count))
    if missing:
        draw = partial(_draw, building, faces)
        frames = (f for f in read_frames(info.path, min(missing), max(missing) + 1) if f.index in missing)
        for done, _ in enumerate(ordered_map(draw, frames, _WORKERS), 1):
            yield Progress(step, done, len(missing), note="debug pictures")
    if building != folder:
        shutil.move(building, folder)
    yield Message(step, f"drew {len(missing)} frames into {folder}; delete those that are wrong and run with --redo")


def _draw(folder: Path, faces: dict[int, list[Path]], frame: Frame) -> None:
    rgb = picture_to_rgb8(frame.picture)
    drawn = draw_frame(rgb, [load_record(path) for path in faces.get(frame.index, [])])
    with replacing(folder / debug_name(frame.index)) as temporary:
        Image.fromarray(drawn).save(temporary, quality=_QUALITY)
