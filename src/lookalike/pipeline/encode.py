"""Step 4, for image sequences: merged images and dst's sound into a video with dst's times."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lookalike.color import rgb_to_picture
from lookalike.errors import WorkspaceError
from lookalike.models.checkpoint import has_checkpoint
from lookalike.pipeline.config import TrustOptions
from lookalike.pipeline.result import allow_output, forget_proof, noting, stamp
from lookalike.pipeline.seal import Told, open_sealer
from lookalike.pipeline.segments import SegmentedVideo, drop_segments
from lookalike.pipeline.sequence import image_path, merged_folder
from lookalike.pipeline.trust import admit
from lookalike.pipeline.workspace import Workspace, fingerprint
from lookalike.types import ColorSpace, Event, Frame, Message, Progress, VideoInfo
from lookalike.untrusted import UnreadableError, opened_picture
from lookalike.video import EncodeOptions, check_output, encoded_as, holds_alpha, probe, read_frames

_Pixels = NDArray[np.uint8 | np.uint16]
_HEADER_BYTES: Final = 26
_DEPTH_AT: Final = 24
_KIND_AT: Final = 25
_KINDS_WITH_ALPHA: Final = {4, 6}
_FORMATS: Final = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")
"""Pillow's names of what an image may be that was edited by hand."""


@dataclass(frozen=True, slots=True)
class _Images:
    """What the headers of images say."""

    deep: bool
    """One has 16 bits a sample."""
    alpha: bool
    """One has alpha."""


def encode(
    workspace: Workspace,
    encoding: EncodeOptions,
    *,
    trust: TrustOptions | None = None,
    output: Path | None = None,
    overwrite: bool = False,
) -> Iterator[Event]:
    """Encode `data_dst/merged` with the times, the shape and the sound of dst.

    Alpha of the images is kept by codecs that have it. With chroma `rgb`, their pixels are stored as they are.

    Raises:
        WorkspaceError: no images, one is missing or of another size, or the output belongs to somebody.
        EncoderError: settings that cannot be encoded. StorageError: the disk is full.
        ConsentError, ContentError: see `admit`. CredentialsError: see `open_sealer`.
    """
    trust = trust or TrustOptions()
    info = probe(workspace.video("dst"))
    output = (output or workspace.folder / "result.mp4").resolve()
    folder = merged_folder(workspace)
    images = sorted(folder.glob("[0-9]*.png")) if folder.is_dir() else []
    found = _look_at(images)
    info = _as_written(info, encoding, found)
    alpha = found.alpha and holds_alpha(encoding.codec)
    check_output(output, info, encoding, alpha=alpha)
    allow_output(workspace, output, overwrite)
    if not images:
        raise WorkspaceError(f"no images in {folder}; make them with: lookalike merge {workspace.folder} --sequence")
    if found.alpha and not alpha:
        yield Message("encode", f"dropped the alpha of the images: {encoding.codec} has none, prores and ffv1 keep it")
    admission = yield from admit(workspace, trust)
    key = fingerprint(stamp(info.path), encoding, [(p.name, p.stat().st_mtime_ns, p.stat().st_size) for p in images])
    said_of_it = fingerprint(trust, admission)
    noted = workspace.done("encode")
    made = (noted.get("key"), noted.get("trust"), noted.get("output"))
    if made == (key, said_of_it, str(output)) and output.is_file() and stamp(output) == noted.get("stamp"):
        drop_segments(workspace.folder / ".encode")
        yield Message("encode", f"reused {output}")
        return
    began = time.monotonic()
    sealer = open_sealer(workspace, trust, admission, _told(workspace, encoding))
    video = SegmentedVideo(workspace.folder / ".encode", key, info, encoding, alpha=alpha)
    count = video.start
    if count:
        yield Message("encode", f"reused {count} frames that were encoded before")
    color, shifts = encoded_as(info, encoding, alpha)
    frames = (
        _replaced(frame, _pixels(image_path(folder, frame.index), frame.picture.size_wh, alpha), color, shifts)
        for frame in read_frames(info.path, count)
    )
    for frame in video.write(frames):
        count += 1
        yield Progress("encode", frame.index + 1, max(info.frame_count, frame.index + 1))

    def facts() -> dict[str, Any]:
        return {
            "key": key,
            "trust": said_of_it,
            "frames": count,
            "options": encoding.model_dump(mode="json", exclude_none=True),
            "content_check": admission.content_check,
            "consents": admission.consents,
            "seconds": round(time.monotonic() - began, 1),
        }

    sound = info.path if info.audio_tracks and trust.sound == "keep" else None
    seal = noting(workspace, "encode", output, sealer.video(output), facts)
    forget_proof(workspace)
    video.finish(output, sound, metadata=sealer.tags, seal=seal, bare=trust.disguise)
    yield Message("encode", f"{count} frames in {output}")


def _told(workspace: Workspace, encoding: EncodeOptions) -> Told:
    """What the merge noted of the images, of those models that are still there, and how they are encoded now."""
    noted = workspace.done("merge_images")
    told = Told.model_validate(noted) if noted else Told()
    there = {name: count for name, count in told.models.items() if has_checkpoint(workspace.model(name))}
    settings = told.settings | {"encoding": encoding.model_dump(mode="json", exclude_none=True)}
    return told.model_copy(update={"models": there, "settings": settings})


def _look_at(images: list[Path]) -> _Images:
    """Depth and alpha by the headers alone. Source: PNG specification, 11.2.2 IHDR."""
    headers = [_header(path) for path in images]
    return _Images(any(h[_DEPTH_AT] == 16 for h in headers), any(h[_KIND_AT] in _KINDS_WITH_ALPHA for h in headers))


def _header(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEADER_BYTES).ljust(_HEADER_BYTES, b"\0")


def _as_written(info: VideoInfo, encoding: EncodeOptions, images: _Images) -> VideoInfo:
    """dst, described as the pictures that are handed to the encoder: R, G, B as deep as the images if asked for."""
    if encoding.chroma == "rgb":
        color = ColorSpace("rgb", full_range=True, bits=16 if images.deep else 8)
        return replace(info, pixel_format="rgb48le" if images.deep else "rgb24", color=color)
    return info


def _replaced(frame: Frame, pixels: _Pixels, color: ColorSpace, shifts: tuple[int, int]) -> Frame:
    """The frame with another picture."""
    picture = rgb_to_picture(np.ascontiguousarray(pixels[:, :, 2::-1]), color, *shifts)
    if pixels.shape[2] == 4:
        scale = ((1 << color.bits) - 1) / np.iinfo(pixels.dtype).max
        codes = np.rint(pixels[:, :, 3] * scale).astype(picture.planes[0].dtype)
        picture = replace(picture, alpha=codes)
    return Frame(picture, frame.index, frame.pts, frame.time_base)


def _pixels(path: Path, size_wh: tuple[int, int], alpha: bool) -> _Pixels:
    """(H, W, 3) B, G, R of an image, or (H, W, 4) with alpha where it is wanted and there."""
    _check_size(path, size_wh)
    kept = alpha and _header(path)[_KIND_AT] in _KINDS_WITH_ALPHA
    pixels = cv2.imread(str(path), cv2.IMREAD_UNCHANGED if kept else cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    if pixels is None or pixels.shape[1::-1] != size_wh:  # turned by its EXIF
        raise WorkspaceError(f"{path} is no image of the video's size; merge again, or put it back")
    return np.asarray(pixels, np.uint16 if pixels.dtype == np.uint16 else np.uint8)


def _check_size(path: Path, size_wh: tuple[int, int]) -> None:
    """Make sure of an image's size before any memory is spent on it."""
    try:
        with opened_picture(path, _FORMATS) as picture:
            width, height = picture.size
    except (UnreadableError, OSError) as exc:
        raise WorkspaceError(f"{path} is missing or no image; merge again, or put it back") from exc
    if (width, height) != size_wh:
        raise WorkspaceError(f"{path} is {width}x{height}, the video {size_wh[0]}x{size_wh[1]}; merge again")
