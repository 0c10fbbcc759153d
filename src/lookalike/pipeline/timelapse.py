"""A video of how the faces of a model became clear: its preview history, played."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from lookalike.color import rgb_to_picture
from lookalike.errors import ConfigError, EncoderError, VideoError, WorkspaceError
from lookalike.files import replacing
from lookalike.pipeline.config import TrustOptions
from lookalike.pipeline.seal import Told, open_sealer
from lookalike.pipeline.trust import noted
from lookalike.pipeline.workspace import Workspace
from lookalike.types import ColorSpace, ColorTags, Event, Frame, Message, Progress, VideoInfo
from lookalike.video import EncodeOptions, VideoWriter, check_output, file_tags

_STEP: Final = "timelapse"
_MOST_FPS: Final = 240
_TICKS: Final = 512
"""Ticks a frame."""
_MARK: Final = "lookalike timelapse"
"""Comment of the file, by which one of ours is known again."""
_COLOR: Final = ColorSpace("bt709", False, 8)


def timelapse(
    workspace: Workspace,
    name: str,
    *,
    output: Path | None = None,
    fps: int = 30,
    seconds: float | None = None,
    credentials: bool = True,
) -> Iterator[Event]:
    """Make an H.264 video of the preview history of the model `name`, in order of iteration.

    Pictures smaller than the largest are enlarged until they touch its edges, with black beside or above them. Those
    that cannot be read are left out. The model may be in training meanwhile.

    Args:
        workspace: holds the model.
        name: of the model.
        output: `timelapse.mp4` in the model's folder when None; written whole or not at all.
        fps: pictures a second.
        seconds: longest duration; pictures are left out evenly to fit. The first and the last stay.
        credentials: sign it, as a merge is.

    Raises:
        ConfigError: fps or seconds that make no video.
        WorkspaceError: there is no history.
        EncoderError: the output is there and no time-lapse, or of an unknown kind. StorageError: the disk is full.
        CredentialsError: see `open_sealer`.
    """
    if not 1 <= fps <= _MOST_FPS:
        raise ConfigError(f"fps must be 1..{_MOST_FPS}, got {fps}")
    if seconds is not None and not seconds > 0:
        raise ConfigError(f"seconds must be more than 0, got {seconds:g}")
    folder = workspace.model(name) / "previews"
    history = _history(folder)
    sizes = {path: size for path in history if (size := _size(path)) is not None}
    if not sizes:
        raise WorkspaceError(
            f"no preview history in {folder}; keep one with: lookalike train {workspace.folder} --write-preview-history"
        )
    chosen = _thinned(list(sizes), None if seconds is None else max(int(seconds * fps), 1))
    inner = max(w for w, _ in sizes.values()), max(h for _, h in sizes.values())
    output = (output or workspace.model(name) / "timelapse.mp4").resolve()
    info = _info(folder, inner, len(chosen), fps)
    check_output(output, info, EncodeOptions())
    if output.exists() and not _is_ours(output):
        raise EncoderError(f"{output} exists already and is no time-lapse; choose another name with -o")
    sealer = open_sealer(workspace, TrustOptions(credentials=credentials), noted(workspace), Told(names=False))
    comment = f"{_MARK}; {sealer.tags['comment']}"
    tags = {**sealer.tags, "title": f"{name} in {workspace.folder.name}", "comment": comment}
    written = 0
    with replacing(output) as temporary:
        with VideoWriter(temporary, info, metadata=tags) as writer:
            for number, path in enumerate(chosen):
                image = _letterboxed(path, inner, info.size_wh)
                if image is not None:  # deleted or spoilt since its size was read
                    picture = rgb_to_picture(image, _COLOR, 1, 1)
                    writer.write(Frame(picture, written, written * _TICKS, info.time_base))
                    written += 1
                yield Progress(_STEP, number + 1, len(chosen), note=f"iteration {int(path.stem)}")
            if not written:
                raise WorkspaceError(f"none of the pictures in {folder} can be read; look at them")
        sealer.video(output)(temporary)
    spoilt = len(history) - len(sizes) + len(chosen) - written
    if spoilt:
        yield Message(_STEP, f"left out, as they cannot be read: {spoilt} of {len(history)} pictures in {folder}")
    yield Message(_STEP, f"{written} pictures, {written / fps:.1f} s in {output}")


def _history(folder: Path) -> list[Path]:
    """Pictures whose name is an iteration, in order."""
    if not folder.is_dir():
        return []
    return sorted(
        (p for p in folder.glob("*.jpg") if p.stem.isdecimal() and p.stem.isascii()), key=lambda p: int(p.stem)
    )


def _size(path: Path) -> tuple[int, int] | None:
    """Width and height, from the head of the file."""
    try:
        with Image.open(path) as image:
            return image.size
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return None


def _thinned(paths: list[Path], most: int | None) -> list[Path]:
    """At most so many, evenly spread, the last among them."""
    if most is None or len(paths) <= most:
        return paths
    places = np.linspace(0, len(paths) - 1, most) if most > 1 else np.array([len(paths) - 1])
    return [paths[place] for place in places.round().astype(int)]


def _is_ours(path: Path) -> bool:
    try:
        return file_tags(path).get("comment", "").startswith(_MARK)
    except VideoError:
        return False


def _info(folder: Path, inner: tuple[int, int], count: int, fps: int) -> VideoInfo:
    """Of a video in which the largest picture fits and chroma can be halved."""
    rate = Fraction(fps)
    return VideoInfo(
        path=folder,
        size_wh=(inner[0] + inner[0] % 2, inner[1] + inner[1] % 2),
        pixel_format="yuv420p",
        color=_COLOR,
        tags=ColorTags(1, 1, 1, 1),
        frame_count=count,
        rate=rate,
        time_base=1 / (rate * _TICKS),
        sample_aspect_ratio=Fraction(1),
        rotation=0,
        duration_seconds=count / fps,
        audio_tracks=0,
    )


def _letterboxed(path: Path, inner: tuple[int, int], size_wh: tuple[int, int]) -> NDArray[np.uint8] | None:
    """(H, W, 3), the picture as large as fits into `inner`, in the middle of a black one; None if it cannot be read."""
    try:
        with Image.open(path) as image:
            rgb = image.convert("RGB")
    except (OSError, SyntaxError, Image.DecompressionBombError):  # SyntaxError: Pillow's word for a broken file
        return None
    scale = min(inner[0] / rgb.width, inner[1] / rgb.height)
    fitted = max(round(rgb.width * scale), 1), max(round(rgb.height * scale), 1)
    if fitted != rgb.size:
        rgb = rgb.resize(fitted, Image.Resampling.LANCZOS)
    canvas = Image.new("RGB", size_wh)
    canvas.paste(rgb, ((size_wh[0] - fitted[0]) // 2, (size_wh[1] - fitted[1]) // 2))
    return np.array(canvas)
