"""The folder of one swap: where everything lies, what was done, and who is at work in it."""

import filecmp
import hashlib
import os
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import tomli_w
from filelock import FileLock, Timeout
from pydantic import Field, ValidationError

from lookalike.errors import WorkspaceError
from lookalike.files import discard, storage_errors, unused_path, write_bytes
from lookalike.options import Options, first_problem, format_of
from lookalike.untrusted import read_text

Side = Literal["src", "dst"]
FORMAT = 1
_RECORD = "workspace.toml"
_BEGUN = ".workspace.*.toml"
"""A record that is not yet there under its name, of the process whose number stands in it."""
_OWNER = ".lock.owner"
"""Number of the process that holds the lock; the lock itself does not depend on it."""


class VideoSource(Options):
    """Where a side's video came from."""

    origin: str
    """The path that was given."""
    file: str
    """What is read: a name in the workspace, or the path of a folder of images."""
    size: int
    modified: int
    """Time stamp in nanoseconds, with `size` a quick check that a later run means the same video."""


class WorkspaceRecord(Options):
    """`workspace.toml`: what was done, with which settings."""

    format: int = FORMAT
    version: str = ""
    src: VideoSource | None = None
    dst: VideoSource | None = None
    steps: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """By step, e.g. extract_src: its options, and what came out."""


class Workspace:
    """Paths and record of a workspace. Opening makes nothing; `create` does."""

    def __init__(self, folder: Path) -> None:
        """Open a workspace that exists.

        Raises:
            WorkspaceError: the folder is none.
        """
        self.folder = folder
        if not (folder / _RECORD).is_file():
            raise WorkspaceError(f"{folder} is no workspace (no {_RECORD}); make one with: lookalike init {folder} ...")

    @classmethod
    def create(cls, folder: Path) -> "Workspace":
        """Open the workspace at `folder`, making an empty one if there is none.

        Raises:
            WorkspaceError: the path is a file.
        """
        if folder.exists() and not folder.is_dir():
            raise WorkspaceError(f"{folder} is a file; name a folder for the workspace")
        if not (folder / _RECORD).is_file():
            with storage_errors(folder):
                folder.mkdir(parents=True, exist_ok=True)
                _begin(folder)
        return cls(folder)

    @property
    def record(self) -> WorkspaceRecord:
        """What was done so far, read anew each time.

        Raises:
            WorkspaceError: workspace.toml is damaged or newer than this version.
        """
        path = self.folder / _RECORD
        try:
            value = tomllib.loads(read_text(path))
            if format_of(value) > FORMAT:
                raise WorkspaceError(f"{path} has format {format_of(value)}; update Lookalike to open it")
            return WorkspaceRecord.model_validate(value)
        except (ValueError, RecursionError) as exc:
            reason = first_problem(exc) if isinstance(exc, ValidationError) else exc
            raise WorkspaceError(f"{path} cannot be read ({reason}); mend it by hand") from exc

    def note(self, step: str, **facts: Any) -> None:
        """Write down what a step did."""
        record = self.record
        _write(self.folder, record.model_copy(update={"steps": {**record.steps, step: facts}}))

    def forget(self) -> None:
        """Empty the record: no videos, nothing done."""
        _write(self.folder, WorkspaceRecord())

    def done(self, step: str) -> dict[str, Any]:
        """What a step noted; empty if it was not done."""
        return self.record.steps.get(step, {})

    def video(self, side: Side) -> Path:
        """The video (or folder of images) of a side.

        Raises:
            WorkspaceError: none was set, or it is gone or cut short.
        """
        source: VideoSource | None = getattr(self.record, side)
        if source is None:
            raise WorkspaceError(
                f"{self.folder} has no {side} video; give one with: lookalike init {self.folder} --{side} FILE"
            )
        path = self.folder / source.file  # an absolute path stays as it is
        if not path.exists():
            raise WorkspaceError(f"{path} is gone; put it back, or start a new workspace")
        as_taken = source.size and path.stem.partition("-")[0] == f"data_{side}"  # neither images nor denoised
        if as_taken and path.stat().st_size != source.size:
            raise WorkspaceError(
                f"{path} has {path.stat().st_size} bytes and had {source.size} when it was taken in; "
                "put it back, or start a new workspace"
            )
        return path

    def origin(self, side: Side) -> Path:
        """The file that a side's video was taken from, by the name its owner gave it."""
        source: VideoSource | None = getattr(self.record, side)
        return Path(source.origin) if source else self.video(side)

    def source_names(self, side: Side) -> tuple[str, ...]:
        """What records call a side's video: its owner's name for it, or a name that it has or had here."""
        denoised = self.done(f"denoise_{side}").get("original", "")
        return self.origin(side).name, self.video(side).name, Path(denoised).name

    def set_video(self, side: Side, path: Path) -> None:
        """Take a video into the workspace: linked if it lies on the same disk, else copied; folders are read in place.

        One that was changed since is taken in again, beside the old one, as long as no faces were made of it.

        Raises:
            WorkspaceError: the workspace has another video on that side already, or the name is no text.
        """
        _check_is_text(path)
        stamp = _stamp(path)
        record = self.record
        present: VideoSource | None = getattr(record, side)
        again = present is not None and present.origin == str(path.resolve()) and not self._is_used(side)
        if present and not (again and (present.size, present.modified) != stamp):
            if (present.size, present.modified) != stamp:
                if present.origin == str(path.resolve()):
                    raise WorkspaceError(
                        f"{path} was changed since {self.folder} was made of it; "
                        "put it back as it was, or choose another workspace (--workspace DIR)"
                    )
                raise WorkspaceError(
                    f"{self.folder} was made for {side} {present.origin}, not {path}; "
                    "choose another workspace (--workspace DIR), or delete this one"
                )
            self._compare(path, self.folder / present.file)
            return
        if path.is_dir():
            file = str(path.resolve())
        else:
            target = self.folder / f"data_{side}{path.suffix.lower() or '.video'}"
            if not (target.exists() and _same_content(target, path)):
                target = unused_path(target)  # what lies there already is not ours to write over
                _link_or_copy(path, target)
            file = target.name
        source = VideoSource(origin=str(path.resolve()), file=file, size=stamp[0], modified=stamp[1])
        _write(self.folder, record.model_copy(update={side: source}))

    def _is_used(self, side: Side) -> bool:
        """Whether faces were made of a side's video; a search that led to none does not count."""
        return bool(self.done(f"extract_{side}")) or self.aligned(side).exists()

    def _compare(self, origin: Path, inside: Path) -> None:
        """See that a video lies in the workspace as it was taken in, where its owner's file is at hand.

        Raises:
            WorkspaceError: it was changed.
        """
        if not origin.is_file() or inside.stem.partition("-")[0] not in ("data_src", "data_dst"):  # images, denoised
            return
        if not inside.exists():
            _link_or_copy(origin, inside)
        elif _stamp(inside) != _stamp(origin) and not _same_content(inside, origin):
            raise WorkspaceError(
                f"{inside} is not any more the video that was taken in; delete it, and {origin} is taken in again"
            )

    def replace_video(self, side: Side, path: Path) -> None:
        """Let a side be read from another file of the same frames, in the workspace; its origin stays noted."""
        record = self.record
        source: VideoSource | None = getattr(record, side)
        if source is None:
            raise WorkspaceError(f"{self.folder} has no {side} video to be replaced by {path}")
        if source.file != path.name:
            _write(self.folder, record.model_copy(update={side: source.model_copy(update={"file": path.name})}))

    def video_stamp(self, side: Side) -> str:
        """Changes when a side is read from another video, but not when the workspace is moved or copied."""
        source: VideoSource | None = getattr(self.record, side)
        path = self.video(side)
        if source is None or not path.is_dir():
            return f"{source.file}-{source.size}-{source.modified}" if source else str(path)
        from lookalike.video.images import list_images  # costs the media library, which help can do without

        return fingerprint(*((image.name, *_stamp(image)) for image in list_images(path)))

    def data(self, side: Side) -> Path:
        """`data_src` or `data_dst`."""
        return self.folder / f"data_{side}"

    def aligned(self, side: Side) -> Path:
        """The faceset of a side."""
        return self.data(side) / "aligned"

    def trash(self, side: Side) -> Path:
        """Faces that were put aside."""
        return self.data(side) / "aligned_trash"

    def model(self, name: str) -> Path:
        """The folder of a model."""
        return self.folder / "model" / name

    @property
    def report(self) -> Path:
        """The folder of the report."""
        return self.folder / "report"

    @contextmanager
    def locked(self, *, mend: bool = True) -> Iterator[None]:
        """Be the only one at work here; the operating system frees the lock of a process that died.

        Args:
            mend: complete what a killed run left half done to the facesets.

        Raises:
            WorkspaceError: another process is at work here.
        """
        with _alone(self.folder):
            try:
                write_bytes(self.folder / _OWNER, str(os.getpid()).encode())
                for begun in self.folder.glob(_BEGUN):  # of a process that was killed, or comes too late
                    discard(begun)
                if mend:
                    self._mend()
                yield
            finally:
                discard(self.folder / _OWNER)

    def _mend(self) -> None:
        """Complete what a killed run left half done to the facesets."""
        from lookalike.faceset.mend import mend  # costs numpy, which a command's help can do without

        mend(self.aligned("src"))
        mend(self.aligned("dst"))


def default_workspace(output: Path) -> Path:
    """The workspace of a swap that names none: beside the output, under its name."""
    return output.with_name(f"{output.stem}_workspace")


def fingerprint(*parts: object) -> str:
    """Sixteen hex digits that change when any part changes."""
    return hashlib.sha256("\n".join(str(part) for part in parts).encode()).hexdigest()[:16]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    lock = FileLock(folder / ".lock")
    try:
        with storage_errors(folder):
            lock.acquire(timeout=0)
    except Timeout as exc:
        owner = _owner(folder / _OWNER)
        raise WorkspaceError(f"another lookalike{owner} is at work in {folder}; wait for it, or end it") from exc
    try:
        yield
    finally:
        lock.release()


def _check_is_text(path: Path) -> None:
    """Refuse a name that cannot be written down: bytes of another encoding, which some archives bring."""
    try:
        str(path.resolve()).encode()
    except UnicodeEncodeError as exc:
        raise WorkspaceError(f"{path} has a name that is no text in UTF-8; rename it, or a folder above it") from exc


def _owner(path: Path) -> str:
    """Words for the process that holds the lock; empty if it did not say."""
    try:
        return f" (process {path.read_text()})"
    except OSError:
        return ""


def _same_content(one: Path, other: Path) -> bool:
    """Whether two files are the same, as one and its copy in a workspace whose record was lost."""
    if one.samefile(other):
        return True
    return one.stat().st_size == other.stat().st_size and filecmp.cmp(one, other, shallow=False)


def _stamp(path: Path) -> tuple[int, int]:
    stat = path.stat()
    return (0 if path.is_dir() else stat.st_size), stat.st_mtime_ns


def _write(folder: Path, record: WorkspaceRecord) -> None:
    write_bytes(folder / _RECORD, _text(record))


def _begin(folder: Path) -> None:
    """Write an empty record, unless another process has made one meanwhile, and may have begun to work."""
    own = folder / _BEGUN.replace("*", str(os.getpid()))
    try:
        with own.open("wb") as handle:
            handle.write(_text(WorkspaceRecord()))
            handle.flush()
            os.fsync(handle.fileno())
        os.link(own, folder / _RECORD)
    except FileNotFoundError:  # swept away, as the other process works already
        if not (folder / _RECORD).is_file():
            raise
    except FileExistsError:
        pass
    except OSError:  # a disk without links
        if not (folder / _RECORD).is_file():
            own.replace(folder / _RECORD)
    finally:
        discard(own)


def _text(record: WorkspaceRecord) -> bytes:
    from lookalike import __version__

    current = record.model_copy(update={"version": __version__})
    return tomli_w.dumps(current.model_dump(exclude_none=True)).encode()


def _link_or_copy(origin: Path, target: Path) -> None:
    temporary = target.with_name(f".{target.stem}.partial{target.suffix}")
    temporary.unlink(missing_ok=True)
    with storage_errors(target):
        try:
            os.link(origin.resolve(), temporary)
        except OSError:
            try:
                shutil.copy2(origin, temporary)
            except BaseException:
                temporary.unlink(missing_ok=True)
                raise
        temporary.replace(target)
