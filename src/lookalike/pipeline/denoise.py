"""A side's video without noise; the original stays beside it."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lookalike.errors import WorkspaceError
from lookalike.files import replacing, storage_errors, unused_path, write_bytes
from lookalike.noise_filter import Denoiser, Planes
from lookalike.pipeline.config import DenoiseOptions
from lookalike.pipeline.consent_material import denoised_from
from lookalike.pipeline.image_files import image_bytes
from lookalike.pipeline.result import stamp
from lookalike.pipeline.segments import SEGMENT_FRAMES, SegmentedVideo
from lookalike.pipeline.workspace import Side, Workspace, fingerprint
from lookalike.types import Event, Frame, Message, Progress, VideoInfo
from lookalike.video import (
    EncodeOptions,
    file_tags,
    fitting_output,
    frame_times,
    list_images,
    load_times,
    output_format,
    planar_layout,
    probe,
    read_frames,
    save_times,
)

_CRF = 6
"""x264's, where the eye sees no loss and a second encoding shows none either."""


def denoise(workspace: Workspace, side: Side, options: DenoiseOptions) -> Iterator[Event]:
    """Write a denoised copy of a side's video into the workspace and make it that side's video.

    Frame numbers and times stay, so faces extracted before remain valid. Done again with another factor, it starts
    from the original. A killed run goes on where it was.

    Raises:
        WorkspaceError: no video. VideoError: it cannot be read or written. StorageError: the disk is full.
    """
    step, began = f"denoise_{side}", time.monotonic()
    noted = workspace.done(step)
    current = workspace.video(side)
    original = current
    if noted.get("output") == current.name and (workspace.folder / str(noted.get("original"))).exists():
        original = workspace.folder / str(noted["original"])
    info = probe(original)
    key = fingerprint(stamp(original), options.model_dump_json())
    finished = workspace.folder / str(noted.get("output"))
    if noted.get("key") == key and finished.exists() and stamp(finished) == noted.get("stamp"):
        workspace.replace_video(side, finished)
        yield Message(step, f"reused {finished}")
        return
    if info.path.is_dir():
        output = unused_path(workspace.folder / f"data_{side}_denoised")
        yield from _images(info, output, workspace.folder / f".denoise_{side}", key, options, step)
    else:
        output, encoding = _output(workspace, side, info)
        if output.exists() and stamp(output) != noted.get("stamp"):
            output = unused_path(output)
        yield from _video(info, output, workspace.folder / f".denoise_{side}", key, options, encoding, step)
    workspace.note(
        step,
        key=key,
        original=original.name if original.parent == workspace.folder else str(original),
        output=output.name,
        stamp=stamp(output),
        **denoised_from(original, output),
        options=options.model_dump(mode="json", exclude_none=True),
        seconds=round(time.monotonic() - began, 1),
    )
    workspace.replace_video(side, output)
    yield Message(step, f"{side} is {output} from now on; the original stays in {original}")


def _video(
    info: VideoInfo, output: Path, folder: Path, key: str, options: DenoiseOptions, encoding: EncodeOptions, step: str
) -> Iterator[Event]:
    video = SegmentedVideo(folder, key, info, encoding)
    if video.start:
        yield Message(step, f"reused {video.start} frames that were done before")
    for frame in video.write(_denoised(info, video.start, folder / key, options)):
        yield Progress(step, frame.index + 1, max(info.frame_count, frame.index + 1))
    video.finish(output, info.path if info.audio_tracks else None, metadata=file_tags(info.path))


def _images(
    info: VideoInfo, output: Path, folder: Path, key: str, options: DenoiseOptions, step: str
) -> Iterator[Event]:
    """Images of the names they had, as PNG; the folder appears when it is whole."""
    names = [f"{path.stem}.png" for path in list_images(info.path)]
    if len(set(names)) < len(names):
        names = [f"{number + 1:05d}.png" for number in range(len(names))]
    place = folder / key / output.name
    start = 0
    while (place / names[min(start + SEGMENT_FRAMES, len(names)) - 1]).is_file() and start + SEGMENT_FRAMES < len(
        names
    ):
        start += SEGMENT_FRAMES
    if start and not _state(folder / key, start).is_file():
        start -= SEGMENT_FRAMES  # stopped after the last image of a piece and before its state
    if start:
        yield Message(step, f"reused {start} images that were done before")
    for frame in _denoised(info, start, folder / key, options):
        write_bytes(place / names[frame.index], image_bytes(frame.picture))
        yield Progress(step, frame.index + 1, len(names), unit="images")
    if not place.is_dir():
        raise WorkspaceError(f"no image in {info.path} could be read; give another folder")
    times = load_times(info.path)
    if times is not None:
        pts = {new: times.pts[old.name] for old, new in zip(list_images(info.path), names, strict=True) if times.pts}
        save_times(place, times.model_copy(update={"pts": pts}))
    with storage_errors(output):
        place.rename(output)
    shutil.rmtree(folder, ignore_errors=True)


def _denoised(info: VideoInfo, start: int, states: Path, options: DenoiseOptions) -> Iterator[Frame]:
    """Frames from `start` on, a multiple of a piece's length; what the filter remembers is kept for each such place."""
    denoiser: Denoiser | None = None
    piece = start // SEGMENT_FRAMES
    for frame in _without_gaps(read_frames(info.path, start), start, frame_times(info)):
        if denoiser is None:
            denoiser = Denoiser(options.factor, before=_load_state(_state(states, start)) if start else None)
        if frame.index // SEGMENT_FRAMES != piece:
            _save_state(_state(states, frame.index // SEGMENT_FRAMES * SEGMENT_FRAMES), denoiser.state)
            _state(states, (piece - 1) * SEGMENT_FRAMES).unlink(missing_ok=True)
            piece = frame.index // SEGMENT_FRAMES
        yield Frame(denoiser.denoised(frame.picture), frame.index, frame.pts, frame.time_base)


def _without_gaps(frames: Iterator[Frame], start: int, times: list[int]) -> Iterator[Frame]:
    """Frames lost to damage as repetitions of the one before, or after, so that numbers stay in the copy."""
    before: Frame | None = None
    for frame in frames:
        for lost in range(start if before is None else before.index + 1, frame.index):
            yield Frame((before or frame).picture, lost, times[lost], frame.time_base)
        yield frame
        before = frame


def _state(folder: Path, start: int) -> Path:
    return folder / f"state-{start:06d}.npz"


def _save_state(path: Path, planes: Planes | None) -> None:
    if planes is not None:
        with replacing(path) as temporary:
            np.savez(temporary, y=planes[0], u=planes[1], v=planes[2])


def _load_state(path: Path) -> Planes:
    if not path.is_file():
        raise WorkspaceError(f"{path} is missing; delete {path.parent} and run denoise again")
    with np.load(path, allow_pickle=False) as saved:
        return saved["y"], saved["u"], saved["v"]


def _output(workspace: Workspace, side: Side, info: VideoInfo) -> tuple[Path, EncodeOptions]:
    """Where the copy goes and how it is encoded: as h264 where that keeps layout and depth, else without loss."""
    layout = planar_layout(info.pixel_format)
    stored_wh = info.size_wh if info.rotation % 180 == 0 else (info.size_wh[1], info.size_wh[0])
    fits = output_format("h264", layout, stored_wh) == layout
    encoding = EncodeOptions(crf=_CRF) if fits else EncodeOptions(codec="ffv1")
    return fitting_output(workspace.folder / f"data_{side}_denoised", info, encoding.codec), encoding
