"""How videos come into a workspace from a page: uploaded piece by piece, or chosen among the files of a folder."""

import contextlib
import os
import re
import secrets
import shutil
import time
import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

from lookalike.errors import LookalikeError, StorageError, WorkspaceError
from lookalike.files import storage_errors, unused_path
from lookalike.pipeline.workspace import Side, Workspace

MOST_BYTES: Final = 8 * 2**30
"""Of a file that is uploaded; larger ones are copied into the folder by other means and chosen there."""
_KEPT_FREE: Final = 512 * 2**20
"""Bytes that an upload leaves free on the disk."""
_LOCK_SECONDS: Final = 10.0
_LONGEST_STEM, _LONGEST_SUFFIX = 80, 10
_TEMPORARY: Final = ".upload-"
_OLD_SECONDS: Final = 24 * 3600
"""Age of a temporary file from which nobody writes it any more."""
_MOST_ENTRIES: Final = 2000
_VIDEOS: Final = (
    *(".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".mts", ".m2ts", ".ts", ".mxf"),
    *(".wmv", ".flv", ".ogv", ".3gp", ".gif", ".y4m", ".vob", ".video"),
)
_IMAGES: Final = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")


class TooLargeError(LookalikeError):
    """A file is larger than may be uploaded."""


class TakenError(WorkspaceError):
    """The side has a video, or the workspace is in use."""


class OutsideError(WorkspaceError):
    """A path that leads out of the root folder, or to nothing."""


def safe_name(name: str) -> str:
    """A file name made of one that came from elsewhere: letters, digits, blank, `-_.()`, not hidden, not too long."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rpartition("/")[2]
    name = re.sub(r"[^\w .()-]", "_", name).strip(" .")
    stem, dot, suffix = name.rpartition(".")
    if not dot or not re.fullmatch(r"\w+", suffix) or len(suffix) > _LONGEST_SUFFIX:
        stem, suffix = name, ""
    stem = stem.strip(" .")[:_LONGEST_STEM].strip(" .") or "video"
    return f"{stem}.{suffix}" if suffix else stem


def check_room(workspace: Workspace, side: Side, size: int | None, most: int = MOST_BYTES) -> None:
    """Make sure that a file can be taken in, before any of it is sent.

    Args:
        size: bytes; None if not known.
        most: bytes that are taken.

    Raises:
        TakenError: the side has a video. TooLargeError: more than is taken. StorageError: the disk has no room for it.
    """
    source = getattr(workspace.record, side)
    if source is not None:
        raise TakenError(
            f"{side} of {workspace.folder.name} is {Path(source.origin).name} already; "
            "make another workspace for another video"
        )
    if size is not None and size > most:
        raise too_large(most)
    free = shutil.disk_usage(workspace.folder).free
    if (size or 0) + _KEPT_FREE > free:
        raise StorageError(
            f"the disk of {workspace.folder.name} has {free / 1e9:.1f} GB free, too little for this file; free some"
        )


def too_large(most: int) -> TooLargeError:
    """What to do with a file of more bytes."""
    return TooLargeError(
        f"the file has more than {most / 2**30:.3g} GiB, which is as much as is uploaded; "
        "copy it into the studio's folder and choose it there"
    )


class Incoming:
    """A file that is being uploaded. It is a temporary one in the workspace until it is whole and known for a video."""

    def __init__(self, workspace: Workspace, side: Side, name: str) -> None:
        """Open the temporary file.

        Raises:
            StorageError: it cannot be written.
        """
        self._workspace, self._side, self._name = workspace, side, safe_name(name)
        suffix = Path(self._name).suffix
        self._path = workspace.folder / f"{_TEMPORARY}{side}-{secrets.token_hex(6)}{suffix}"
        self.size = 0
        """Bytes so far."""
        _sweep(workspace.folder)
        with storage_errors(self._path):
            self._file: BinaryIO | None = self._path.open("xb")

    def write(self, data: bytes | bytearray) -> None:
        """Add to it.

        Raises:
            StorageError: the disk is full.
        """
        assert self._file is not None
        with storage_errors(self._path):
            self._file.write(data)
        self.size += len(data)

    def finish(self) -> dict[str, Any]:
        """Take the whole file in as the side's video; what was found, for the page.

        Raises:
            VideoError: it is no video. TakenError: the side has a video by now, or the workspace is in use; then the
                file stays in the workspace under its own name. StorageError: the disk is full.
        """
        assert self._file is not None
        with storage_errors(self._path):
            self._file.flush()
            os.fsync(self._file.fileno())
        self._close()
        from lookalike.video import probe  # the media library takes a while to load

        probe(self._path)
        path = unused_path(self._workspace.folder / self._name)
        with storage_errors(path):
            self._path.replace(path)
        try:
            taken = take_in(self._workspace, self._side, path)
        except TakenError as exc:
            raise TakenError(f"{exc}; {path.name} stays in the workspace and can be chosen there later") from exc
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        if self._workspace.video(self._side) != path:  # linked or copied to its place
            path.unlink(missing_ok=True)
        return taken

    def discard(self) -> None:
        """Leave nothing of it, unless it was taken in."""
        self._close()
        self._path.unlink(missing_ok=True)

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None


def take_in(workspace: Workspace, side: Side, path: Path) -> dict[str, Any]:
    """Make a video, or a folder of images, the one of a side; what it is, for the page.

    Raises:
        VideoError: it is no video. TakenError: the side has another one, or the workspace is in use.
    """
    from lookalike.video import probe

    info = probe(path)
    with _locked_soon(workspace):
        check_room(workspace, side, None)
        workspace.set_video(side, path)
    return {"name": path.name, "size": list(info.size_wh), "frames": info.frame_count}


def listed(root: Path, relative: str) -> dict[str, Any]:
    """What can be chosen in a folder under `root`: folders, videos, and how many images the folder itself has.

    Raises:
        OutsideError: the path leads elsewhere, or there is no such folder.
    """
    folder = inside(root, relative)
    if not folder.is_dir():
        raise OutsideError(f"{relative[:200]!r} is no folder here; choose another one")
    folders, videos, images = [], [], 0
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name.lower())
    except OSError as exc:
        raise OutsideError(f"{relative[:200]!r} cannot be read ({exc.strerror}); choose another one") from exc
    for entry in entries:
        kind = _kind(root, entry)
        if kind == "folder":
            folders.append({"name": entry.name})
        elif kind == "video":
            videos.append({"name": entry.name, "bytes": entry.stat().st_size, "changed": entry.stat().st_mtime})
        elif kind == "image":
            images += 1
    here = folder.relative_to(root).as_posix()
    return {
        "folder": "" if here == "." else here,
        "folders": folders[:_MOST_ENTRIES],
        "videos": videos[:_MOST_ENTRIES],
        "images": images,
        "left_out": max(len(folders) - _MOST_ENTRIES, 0) + max(len(videos) - _MOST_ENTRIES, 0),
    }


def inside(root: Path, relative: str) -> Path:
    """A path under `root` by the words of a request.

    Raises:
        OutsideError: it or a link in it leads elsewhere, a part is hidden, or there is nothing.
    """
    parts = [part for part in relative.split("/") if part]
    refused = OutsideError(f"{relative[:200]!r} is not in the studio's folder; choose a file or folder in it")
    if "\0" in relative or any(part[0] == "." or "\\" in part for part in parts):
        raise refused
    try:
        path = root.joinpath(*parts).resolve()
        found = path.is_relative_to(root) and path.exists()
    except (OSError, ValueError, RuntimeError):
        found = False
    if not found:
        raise refused
    return path


def _kind(root: Path, entry: "os.DirEntry[str]") -> Literal["folder", "video", "image"] | None:
    if entry.name.startswith("."):
        return None
    try:
        if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(root):
            return None
        if entry.is_dir():
            return "folder"
        suffix = os.path.splitext(entry.name)[1].lower()  # noqa: PTH122 - thousands of names
        if not entry.is_file():
            return None
        return "video" if suffix in _VIDEOS else "image" if suffix in _IMAGES else None
    except (OSError, RuntimeError):
        return None


@contextmanager
def _locked_soon(workspace: Workspace) -> Iterator[None]:
    """The workspace for oneself; waits a little for who is at work there, which may be another upload.

    Raises:
        TakenError: somebody stays at work.
    """
    until = time.monotonic() + _LOCK_SECONDS
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(workspace.locked())
                break
            except WorkspaceError as exc:
                if time.monotonic() > until:
                    raise TakenError(str(exc)) from exc
            time.sleep(0.1)
        yield


def _sweep(folder: Path) -> None:
    """Remove what uploads left that a killed studio never finished."""
    for path in folder.glob(f"{_TEMPORARY}*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _OLD_SECONDS:
                path.unlink()
