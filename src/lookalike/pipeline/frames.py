"""Frames of a side's video as images, for those who want to see or edit them; no other step needs them."""

import time
from bisect import bisect_left
from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from pathlib import Path

from lookalike.errors import VideoOpenError, WorkspaceError
from lookalike.files import storage_errors, unused_path, write_bytes
from lookalike.parallel import ordered_map
from lookalike.pipeline.config import FramesOptions
from lookalike.pipeline.image_files import image_bytes
from lookalike.pipeline.result import stamp
from lookalike.pipeline.workspace import Side, Workspace, fingerprint
from lookalike.types import Event, Frame, Message, Progress, VideoInfo
from lookalike.video import FrameTimes, frame_times, has_times, list_images, load_times, probe, read_frames, save_times

_WORKERS = 2
_RECORD = "frames.json"


def frames(workspace: Workspace, side: Side, options: FramesOptions, *, overwrite: bool = False) -> Iterator[Event]:
    """Write frames of a side's video to `data_src/00001.png`, ...; a killed run goes on where it was.

    An image is named by the number of its frame in the video, from 1, whichever frames are kept. `frames.json` beside
    them says when each is shown. Images of another video or other options are moved to `frames_old`, `frames_old-2`...

    Args:
        workspace: whose video is read.
        side: src or dst.
        options: which frames, and how.
        overwrite: write images that are there from the same video and options once more.

    Raises:
        WorkspaceError: no video, or it is the folder that would be written to.
        VideoError: the video cannot be read. StorageError: the disk is full.
    """
    step, began = f"frames_{side}", time.monotonic()
    info = probe(workspace.video(side))
    folder = workspace.data(side)
    if folder.is_dir() and info.path.is_dir() and folder.samefile(info.path):
        raise WorkspaceError(
            f"{side} of {workspace.folder} is the folder of images {folder}; there is nothing to write"
        )
    key = fingerprint(stamp(info.path), options.model_dump_json())
    times = frame_times(info)
    names = {index: f"{index + 1:05d}.{options.format}" for index in chosen_frames(times, info.time_base, options.fps)}
    yield from _make_room(folder, key, step)
    save_times(folder, _record(info, workspace.origin(side).name, key, names, times))
    missing = sorted(index for index, name in names.items() if overwrite or not (folder / name).is_file())
    if len(missing) < len(names):
        yield Message(step, f"reused {len(names) - len(missing)} images that were written before")
    yield from _said_of_depth(info, options, step)
    wanted = set(missing)
    done = len(names) - len(missing)
    if missing:
        source = (f for f in read_frames(info.path, missing[0], missing[-1] + 1) if f.index in wanted)
        for frame, data in ordered_map(partial(_encoded, options=options), source, _WORKERS):
            write_bytes(folder / names[frame.index], data)
            done += 1
            yield Progress(step, done, len(names), unit="images")
    options_noted = options.model_dump(mode="json", exclude_none=True)
    seconds = round(time.monotonic() - began, 1)
    workspace.note(step, key=key, options=options_noted, images=done, seconds=seconds)
    lost = f" ({len(names) - done} could not be decoded)" if done < len(names) else ""
    yield Message(step, f"{done} images of {info.frame_count} frames in {folder}{lost}")


def chosen_frames(times: list[int], time_base: Fraction, fps: float) -> list[int]:
    """Numbers, from 0, of the frames nearest to 0, 1/fps, 2/fps, ... after the first; of all frames when fps is 0.

    Args:
        times: rising, in ticks.
        time_base: seconds per tick.
        fps: images a second; where frames are sparser than that, each is taken once.
    """
    if fps == 0 or not times:
        return list(range(len(times)))
    step = 1 / Fraction(str(fps)) / time_base
    chosen: list[int] = []
    for number in range((times[-1] - times[0]) // step + 1):
        moment = times[0] + number * step
        after = min(bisect_left(times, moment), len(times) - 1)
        nearest = after - 1 if after and moment - times[after - 1] <= times[after] - moment else after
        if not chosen or chosen[-1] != nearest:
            chosen.append(nearest)
    return chosen


def _encoded(frame: Frame, options: FramesOptions) -> tuple[Frame, bytes]:
    return frame, image_bytes(frame.picture, options.format)


def _make_room(folder: Path, key: str, step: str) -> Iterator[Event]:
    """Move images that are not of this video and these options aside, the record of them last."""
    try:
        known = load_times(folder)
    except VideoOpenError:
        known = None
    if not folder.is_dir() or (known is not None and known.key == key):
        return
    try:
        old = list_images(folder)
    except VideoOpenError:
        return
    aside = unused_path(folder / "frames_old")
    with storage_errors(aside):
        aside.mkdir()
        for path in [*old, folder / _RECORD]:
            if path.exists():
                path.rename(aside / path.name)
    yield Message(step, f"moved {len(old)} images of another video or other options to {aside}")


def _record(info: VideoInfo, source: str, key: str, names: dict[int, str], times: list[int]) -> FrameTimes:
    pts = {name: times[index] for index, name in names.items()} if has_times(info.path) else {}
    return FrameTimes(source=source, key=key, rate=str(info.rate), time_base=str(info.time_base), pts=pts)


def _said_of_depth(info: VideoInfo, options: FramesOptions, step: str) -> Iterator[Event]:
    if info.color.bits > 8:
        kept = "16-bit PNG keeps them" if options.format == "png" else "jpg keeps 8 of them; use --format png for all"
        yield Message(step, f"the video has {info.color.bits} bits a sample: {kept}")
