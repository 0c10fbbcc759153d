"""Where pixels were changed: the masks that a merge wrote, or what differs between its result and dst."""

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.color import picture_to_rgb
from lookalike.errors import BatchError
from lookalike.faceset import faces_by_frame, load_record
from lookalike.files import write_bytes
from lookalike.landmarks import hull_mask
from lookalike.pipeline.image_files import pixel_bytes
from lookalike.pipeline.sequence import image_path
from lookalike.pipeline.workspace import Workspace
from lookalike.types import ColorSpace, ColorTags, Event, Frame, Picture, Progress, VideoInfo
from lookalike.untrusted import UnreadableError, opened_picture
from lookalike.video import EncodeOptions, VideoWriter, probe, read_frames

Source = Literal["merge", "difference"]
Mask = NDArray[np.uint8]
"""(H, W), 0 untouched to 255 replaced."""

STEP: Final = "dataset"
_CODES: Final = 4.0
"""Of 255: from so much on, a difference averaged over `_MEAN` pixels is more than an encoder's loss."""
_MEAN: Final = 5
_ROOM: Final = 0.35
"""How far around the outline from jaw to brows a changed pixel may lie, in its widths."""
_COLOR: Final = ColorSpace("bt709", True, 8)


def mask_source(workspace: Workspace, frames_with_face: set[int]) -> Source:
    """Where the masks of a workspace's result come from: what the merge wrote, if that is all there."""
    noted = workspace.done("merge").get("run", {})
    folder = _folder(workspace)
    whole = all(image_path(folder, frame).is_file() for frame in frames_with_face)
    return "merge" if noted.get("masks") and whole and folder.is_dir() else "difference"


def masks_of(workspace: Workspace, result: Path) -> tuple[Source, Iterator[tuple[Frame, Mask]]]:
    """The mask of every frame of a result, with the frame, and where they come from.

    Raises (as it goes):
        BatchError: result and dst differ in size or in the count of frames; a mask cannot be read.
    """
    faces = faces_by_frame(workspace.aligned("dst"))
    source = mask_source(workspace, set(faces))
    if source == "merge":
        return source, _written(_folder(workspace), result, set(faces))
    return source, _differing(workspace.video("dst"), result, faces)


def write_mask_video(masks: Iterator[tuple[Frame, Mask]], info: VideoInfo, path: Path) -> Iterator[Event]:
    """Masks as luma of a lossless video with the times of the result."""
    about = replace(
        info,
        pixel_format="yuv420p",
        color=_COLOR,
        tags=ColorTags(1, 1, 1, 2),
        rotation=0,
        audio_tracks=0,
        sample_aspect_ratio=Fraction(1),
    )
    with VideoWriter(path, about, EncodeOptions(codec="ffv1")) as writer:
        for frame, mask in masks:
            height, width = mask.shape
            grey = np.full(((height + 1) // 2, (width + 1) // 2), 128, np.uint8)
            writer.write(replace(frame, picture=Picture((mask, grey, grey), _COLOR)))
            yield Progress(STEP, frame.index + 1, max(info.frame_count, frame.index + 1), note=f"{path.stem} mask")


def write_mask_images(video: Path, folder: Path) -> Iterator[Event]:
    """The masks of a mask video as grey PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    count = probe(video).frame_count
    for frame in read_frames(video):
        grey = np.asarray(frame.picture.planes[0], np.float32) / np.float32(255)
        write_bytes(image_path(folder, frame.index), pixel_bytes(grey))
        yield Progress(STEP, frame.index + 1, max(count, frame.index + 1), note=f"{folder.name} masks")


def _folder(workspace: Workspace) -> Path:
    return workspace.data("dst") / "merged_mask"


def _written(folder: Path, result: Path, faces: set[int]) -> Iterator[tuple[Frame, Mask]]:
    for frame in read_frames(result):
        width, height = frame.picture.size_wh
        path = image_path(folder, frame.index)
        yield frame, _read(path, (width, height)) if frame.index in faces else np.zeros((height, width), np.uint8)


def _read(path: Path, size_wh: tuple[int, int]) -> Mask:
    try:
        with opened_picture(path, ("PNG",)) as picture:
            if picture.size != size_wh:
                raise BatchError(f"{path} has another size than the result; merge again with --masks")
            codes = np.asarray(picture)
    except (UnreadableError, OSError) as exc:
        raise BatchError(f"{path} cannot be read as a mask ({exc}); merge again with --masks") from exc
    if codes.ndim != 2:
        raise BatchError(f"{path} is no grey image and no mask; merge again with --masks")
    scale = 1 if codes.dtype == np.uint8 else 257
    return np.rint(codes.astype(np.float32) / scale).astype(np.uint8)


def _differing(dst: Path, result: Path, faces: dict[int, list[Path]]) -> Iterator[tuple[Frame, Mask]]:
    pairs = zip(read_frames(dst), read_frames(result), strict=True)
    try:
        for before, after in pairs:
            if before.picture.size_wh != after.picture.size_wh:
                raise BatchError(f"{result} has another size than {dst}; merge again")
            near = [load_record(path).landmarks_array() for path in faces.get(after.index, [])]
            yield after, changed_pixels(before.picture, after.picture, near)
    except ValueError as exc:  # of zip
        raise BatchError(f"{result} has not as many frames as {dst}; merge again") from exc


def changed_pixels(before: Picture, after: Picture, faces: list[NDArray[np.float32]]) -> Mask:
    """255 where a face was replaced, as far as it can be told from two pictures of which one is encoded with loss.

    A pixel counts where the difference, averaged over 5x5 pixels, is 4 of 255 or more in R, G or B and it lies at a
    face; small holes and specks are taken away.

    Args:
        before: dst's picture.
        after: the result's, of the same size.
        faces: (68, 2) landmarks of each face that was to be replaced, frame pixels.
    """
    width, height = after.size_wh
    allowed = np.zeros((height, width), np.uint8)
    for landmarks in faces:
        reach = max(1, round(_ROOM * float(np.ptp(landmarks[:, 0]))))
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        allowed |= cv2.dilate(hull_mask(landmarks, (width, height)), kernel).astype(np.uint8)
    if not allowed.any():
        return allowed
    apart = cv2.blur(picture_to_rgb(after) - picture_to_rgb(before), (_MEAN, _MEAN))
    changed = ((np.abs(apart).max(2) * 255 >= _CODES) & (allowed > 0)).astype(np.uint8)
    side = max(3, round(0.004 * width) | 1)
    small = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    large = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3 * side, 3 * side))
    whole = cv2.morphologyEx(cv2.morphologyEx(changed, cv2.MORPH_OPEN, small), cv2.MORPH_CLOSE, large)
    return np.asarray(whole * 255, np.uint8)
