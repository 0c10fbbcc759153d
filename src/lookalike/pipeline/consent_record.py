"""Records of who agreed to what, as they lie in a workspace: `consents/0001.json`, `0002.json` and so on.

A record is written once and never changed or deleted; a withdrawal is written beside it in the same file.
Imports no numpy.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, get_args

from filelock import FileLock, Timeout
from pydantic import AfterValidator, AwareDatetime, Field, ValidationError, model_validator

from lookalike import __version__
from lookalike.errors import ConfigError, ConsentError
from lookalike.files import storage_errors, write_json
from lookalike.options import Options, first_problem, format_of
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.untrusted import read_bytes

FORMAT: Final = 1
FOLDER: Final = "consents"
_LOCK: Final = ".consents.lock"
_MOST_BYTES: Final = 256 << 10
"""Of a record's file; the longest that is written is a fifth of it."""
_MOST_RECORDS: Final = 9999
_WAIT_SECONDS: Final = 10
_NUMBERED: Final = re.compile(r"[0-9]{4}[.-]", re.ASCII)
_NAME: Final = re.compile(r"[0-9]{4}\.json", re.ASCII)
_DOCUMENT: Final = re.compile(r"[0-9]{4}-document(\.[A-Za-z0-9]{1,10})?", re.ASCII)
_SUFFIX: Final = re.compile(r"\.[A-Za-z0-9]{1,10}", re.ASCII)
_JOINERS: Final = "\u200c\u200d"
"""Shape letters of some scripts, and are part of names."""

Purpose = Literal["film", "news", "advertising", "research", "education", "anonymisation", "dataset", "test"]
"""What a swap is made for."""
PURPOSES: Final[tuple[Purpose, ...]] = get_args(Purpose)


def _shown(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty; write something")
    if not all(letter.isprintable() or letter in _JOINERS for letter in text):
        raise ValueError("has line breaks or control characters; write it in one line")
    return text


Line = Annotated[str, Field(max_length=300), AfterValidator(_shown)]
Text = Annotated[str, Field(max_length=4000), AfterValidator(_shown)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Day = Annotated[date, Field(ge=date(1970, 1, 1), le=date(2999, 12, 31))]


class Terms(Options):
    """What somebody agreed to."""

    name: Line | None = None
    """Who agreed. A pseudonym will do; never write the name of a witness who is to stay unknown."""
    on_behalf_of: Line | None = None
    """Whose face it is, where somebody else agreed for that person: a guardian, an estate."""
    not_needed: Line | None = None
    """In place of a name: why nobody has to be asked, such as "generated face" or "painting of 1632"."""
    number: Annotated[int | None, Field(ge=0, le=10**6)] = None
    """Which person of a video with several, as `extract` counts them, from 0; everybody in it if left out."""
    purpose: list[Purpose] = Field(default_factory=list)
    """What may be made of it; may be given several times."""
    use: Text | None = None
    """The same in words, with whatever limits it has."""
    valid_from: Day | None = None
    """First day, such as 2026-05-01; from now on if left out."""
    valid_until: Day | None = None
    """Last day; until it is withdrawn if left out."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.name is None) == (self.not_needed is None):
            raise ValueError("say who agreed (--name), or why nobody has to be asked (--not-needed)")
        if self.name is None and self.on_behalf_of is not None:
            raise ValueError("--on-behalf-of says for whom --name agreed; give both")
        if self.name is not None and not self.purpose and self.use is None:
            raise ValueError(f"say what was agreed to: --use WORDS, --purpose {'|'.join(PURPOSES)}, or both")
        if self.valid_from and self.valid_until and self.valid_until < self.valid_from:
            raise ValueError(f"it would end on {self.valid_until}, before it begins on {self.valid_from}")
        return self


class Material(Options):
    """A file, or a folder of images, that somebody agreed about; known again by what it holds, not by name or place."""

    role: Literal["video", "original", "other", "faces"]
    """What the side is read from; what that was made of by `denoise`; a file, or faces, that were named besides."""
    title: Line
    """Its name, without the folder."""
    sha256: Sha256


class Document(Options):
    """A signed paper."""

    file: Line
    """Its name, without the folder."""
    sha256: Sha256
    size: Annotated[int, Field(ge=0)]
    """Bytes."""
    kept: Annotated[str | None, Field(pattern=f"^{_DOCUMENT.pattern}$")] = None
    """Name of a copy in the folder of the records."""


class Record(Terms):
    """What is written down, and never changed."""

    id: Annotated[int, Field(ge=1, le=_MOST_RECORDS)]
    person: Side
    material: Annotated[list[Material], Field(max_length=100)]
    document: Document | None = None
    added: AwareDatetime
    version: Line
    """Of Lookalike."""
    salt: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    """Drawn by chance, so that nobody finds out a name by hashing guesses."""

    @property
    def whose(self) -> str | None:
        """Whose face it is about, fit for comparison; None where nobody has to be asked."""
        name = self.on_behalf_of or self.name
        return None if name is None else " ".join(name.casefold().split())


class Withdrawal(Options):
    """The end of a record before its time."""

    when: AwareDatetime
    why: Line | None = None
    mistake: bool = False
    """The record was never right, and speaks for nobody."""
    earlier: "Withdrawal | None" = None
    """What stood here before it was found to be a mistake."""
    version: Line
    """Of Lookalike."""


class RecordFile(Options):
    """`consents/NNNN.json`."""

    format: Literal[1] = FORMAT
    record: Record
    sha256: Sha256
    """Of the record as compact JSON with sorted keys: what content credentials say of it."""
    withdrawn: Withdrawal | None = None


def records_folder(workspace: Workspace) -> Path:
    """Where the records of a workspace are."""
    return workspace.folder / FOLDER


def read_records(workspace: Workspace) -> list[RecordFile]:
    """All records, by number.

    Raises:
        ConsentError: a file is no record, damaged, changed by hand, or of a newer format.
    """
    names = [name for name in _names(workspace) if name.endswith(".json") and not _DOCUMENT.fullmatch(name)]
    return [_read(records_folder(workspace) / name) for name in names]


def add_record(
    workspace: Workspace,
    terms: Terms,
    person: Side,
    material: list[Material],
    document: Callable[[int], Document | None] = lambda _: None,
) -> RecordFile:
    """Write a new record; also while another command is at work in the workspace.

    Args:
        workspace: which.
        terms: what was agreed to.
        person: of which side.
        material: what it is about.
        document: from the record's number to its paper, which may be copied in beforehand.

    Raises:
        ConsentError: a record there cannot be read. StorageError: the disk is full or not writable.
    """
    with _writing(workspace):
        read_records(workspace)
        number = max((int(name[:4]) for name in _names(workspace) if _NUMBERED.match(name)), default=0) + 1
        if number > _MOST_RECORDS:
            raise ConsentError(f"{records_folder(workspace)} is full; start a new workspace")
        record = Record(
            **terms.model_dump(),
            id=number,
            person=person,
            material=material,
            document=document(number),
            added=_now(),
            version=__version__,
            salt=secrets.token_hex(16),
        )
        file = RecordFile(record=record, sha256=record_hash(record.model_dump(mode="json")))
        _write(workspace, file)
    return file


def withdraw_record(workspace: Workspace, number: int, why: str | None, *, mistake: bool) -> RecordFile:
    """Write down that a record does not hold any more; it stays as it is. A withdrawn one may still be a mistake.

    Raises:
        ConsentError: there is no such record, or it was withdrawn already. ConfigError: `why` is no line of text.
        StorageError: the disk is not writable.
    """
    with _writing(workspace):
        file = next((file for file in read_records(workspace) if file.record.id == number), None)
        if file is None:
            raise ConsentError(
                f"{workspace.folder} has no record {number}; see which there are: lookalike consent list"
            )
        earlier = file.withdrawn
        if earlier and (earlier.mistake or not mistake):
            raise ConsentError(f"record {number} was withdrawn already, on {earlier.when:%Y-%m-%d}")
        try:
            withdrawn = Withdrawal(when=_now(), why=why, mistake=mistake, earlier=earlier, version=__version__)
        except ValidationError as exc:
            raise ConfigError(f"--{first_problem(exc)}") from exc
        changed = file.model_copy(update={"withdrawn": withdrawn})
        _write(workspace, changed)
    return changed


def record_hash(value: Any) -> str:
    """SHA-256 of a record as JSON knows it, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def document_name(number: int, suffix: str) -> str:
    """What the copy of a record's paper is called."""
    return f"{number:04d}-document{suffix if _SUFFIX.fullmatch(suffix) else ''}"


def shown_name(path: Path) -> str:
    """A file's name in one line that may be shown and written down anywhere."""
    shown = "".join(letter if letter.isprintable() or letter in _JOINERS else " " for letter in path.name)
    return " ".join(shown.split())[:300] or "a file without a readable name"


def _names(workspace: Workspace) -> list[str]:
    """What is in the folder of the records, in order, without files that are being written."""
    folder = records_folder(workspace)
    try:
        names = sorted(path.name for path in folder.iterdir() if path.name[0] != ".")
    except FileNotFoundError:
        return []
    except OSError as exc:
        raise ConsentError(f"{folder} is no folder that can be read ({exc.strerror or exc}); mend that first") from exc
    if len(names) > 2 * _MOST_RECORDS:
        raise ConsentError(f"{folder} has {len(names)} files, more than are read; move out what is no record")
    return names


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


def _read(path: Path) -> RecordFile:
    try:
        if not _NAME.fullmatch(path.name):
            raise ConsentError(f"{path} is no record of consent; move it out of {path.parent}")
        value = json.loads(read_bytes(path, _MOST_BYTES))
        if format_of(value) > FORMAT:
            raise ConsentError(f"{path} has format {format_of(value)}; update Lookalike to read it")
        file = RecordFile.model_validate(value, strict=False)
        if file.record.id != int(path.stem):
            raise ConsentError(f"{path} holds record {file.record.id}, which is another; give it back its name")
        if record_hash(value["record"]) != file.sha256:
            raise ConsentError(f"{path} was changed after it was written and is no consent; restore it from a copy")
    except (OSError, ValueError, RecursionError) as exc:
        reason = first_problem(exc) if isinstance(exc, ValidationError) else exc
        raise ConsentError(
            f"{path} is damaged and is no consent ({reason}); restore it from a copy, or move it away and add it anew"
        ) from exc
    return file


def _write(workspace: Workspace, file: RecordFile) -> None:
    write_json(records_folder(workspace) / f"{file.record.id:04d}.json", file.model_dump(mode="json"))


@contextmanager
def _writing(workspace: Workspace) -> Iterator[None]:
    """Be the only one who writes records; the workspace's own lock may be held by a training for days."""
    lock = FileLock(workspace.folder / _LOCK)
    try:
        with storage_errors(workspace.folder):
            lock.acquire(timeout=_WAIT_SECONDS)
    except Timeout as exc:
        raise ConsentError(f"another lookalike writes a record in {workspace.folder}; run this again") from exc
    try:
        yield
    finally:
        lock.release()
