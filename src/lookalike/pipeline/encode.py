"""Step 4, for image sequences: merged images and dst's sound into a video with dst's times."""

import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from lookalike.color import chroma_shifts, rgb_to_picture
from lookalike.errors import WorkspaceError
from lookalike.pipeline.result import allow_output, stamp
from lookalike.pipeline.segments import SegmentedVideo
from lookalike.pipeline.sequence import image_path, merged_folder
from lookalike.pipeline.workspace import Workspace, fingerprint
from lookalike.types import Event, Frame, Message, Picture, Progress
from lookalike.video import EncodeOptions, check_output, probe, read_frames


def encode(
    workspace: Workspace, encoding: EncodeOptions, *, output: Path | None = None, overwrite: bool = False
) -> Iterator[Event]:
    """Encode `data_dst/merged` with the times, the shape and the sound of dst.

    Raises:
        WorkspaceError: no images, one is missing or of another size, or the output belongs to somebody.
        EncoderError: settings that cannot be encoded. StorageError: the disk is full.
    """
    info = probe(workspace.video("dst"))
    output = (output or workspace.folder / "result.mp4").resolve()
    check_output(output, info, encoding)
    allow_output(workspace, output, overwrite)
    folder = merged_folder(workspace)
    images = sorted(folder.glob("[0-9]*.png")) if folder.is_dir() else []
    if not images:
        raise WorkspaceError(f"no images in {folder}; make them with: lookalike merge {workspace.folder} --sequence")
    key = fingerprint(stamp(info.path), encoding, [(p.name, p.stat().st_mtime_ns, p.stat().st_size) for p in images])
    noted = workspace.done("encode")
    if noted.get("key") == key and noted.get("output") == str(output) and output.is_file():
        yield Message("encode", f"reused {output}")
        return
    began = time.monotonic()
    video = SegmentedVideo(workspace.folder / ".encode", key, info, encoding)
    count = video.start
    if count:
        yield Message("encode", f"reused {count} frames that were encoded before")
    frames = (_replaced(frame, image_path(folder, frame.index)) for frame in read_frames(info.path, count))
    for frame in video.write(frames):
        count += 1
        yield Progress("encode", frame.index + 1, max(info.frame_count, frame.index + 1))
    video.finish(output, info.path if info.audio_tracks else None)
    seconds = round(time.monotonic() - began, 1)
    options = encoding.model_dump(mode="json", exclude_none=True)
    workspace.note(
        "encode", key=key, output=str(output), stamp=stamp(output), frames=count, options=options, seconds=seconds
    )
    yield Message("encode", f"{count} frames in {output}")


def _replaced(frame: Frame, path: Path) -> Frame:
    """The frame with the picture of an image."""
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if bgr is None:
        raise WorkspaceError(f"{path} is missing or no image; merge again, or put it back")
    width, height = frame.picture.size_wh
    if bgr.shape[:2] != (height, width):
        raise WorkspaceError(f"{path} is {bgr.shape[1]}x{bgr.shape[0]}, the video {width}x{height}; merge again")
    top = 65535 if bgr.dtype == np.uint16 else 255
    rgb = bgr[:, :, ::-1].astype(np.float32) / np.float32(top)
    picture: Picture = rgb_to_picture(rgb, frame.picture.color, *chroma_shifts(frame.picture))
    return Frame(picture, frame.index, frame.pts, frame.time_base)
