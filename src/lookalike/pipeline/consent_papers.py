"""The signed papers of records: taken in, and found again unchanged."""

import shutil
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from lookalike.errors import ConsentError
from lookalike.files import replacing
from lookalike.pipeline.consent_material import hash_path, returned
from lookalike.pipeline.consent_record import Document, RecordFile, document_name, records_folder, shown_name
from lookalike.pipeline.consent_states import State
from lookalike.pipeline.workspace import Workspace
from lookalike.types import Event

_MOST_BYTES: Final = 1 << 30
"""Of a paper; what is larger is hardly one."""


def take_in(path: Path) -> Generator[Event, None, Document]:
    """What a record says of a paper.

    Raises:
        ConsentError: it is not there, cannot be read, or is no document by its size.
    """
    if path.is_dir():
        raise ConsentError(f"{path} is a folder; name the signed document itself, such as a PDF or a scan")
    digest = yield from hash_path(path)
    size = path.stat().st_size
    if not 0 < size <= _MOST_BYTES:
        raise ConsentError(f"{path} has {size} bytes, which no signed document has; name another file")
    return Document(file=shown_name(path), sha256=digest, size=size)


def keep(workspace: Workspace, path: Path, document: Document, number: int) -> Document:
    """Copy a paper into the folder of the records.

    Raises:
        ConsentError: it changed meanwhile. StorageError: the disk is full or not writable.
    """
    name = document_name(number, path.suffix)
    with replacing(records_folder(workspace) / name) as temporary:
        shutil.copyfile(path, temporary)
        if returned(hash_path(temporary)) != document.sha256:
            raise ConsentError(f"{path} changed while it was copied; run this again")
    return document.model_copy(update={"kept": name})


class Papers:
    """Looks records' papers up: copies that were kept, always; what was named for it, where anything was."""

    def __init__(self, workspace: Workspace, named: Iterable[Path]) -> None:
        """Look at nothing yet.

        Args:
            workspace: whose records.
            named: documents, or folders of them.

        Raises:
            ConsentError: one of them is not there.
        """
        self._kept = records_folder(workspace)
        self._named = list(named)
        for path in self._named:
            if not path.exists():
                raise ConsentError(f"{path} is not there; name a signed document, or a folder of them")

    def state(self, file: RecordFile) -> State:
        """Whether a record's paper is there and unchanged; valid where nobody can tell."""
        document = file.record.document
        if document is None:
            return "valid"
        if document.kept:
            kept = self._kept / document.kept
            if not kept.is_file():
                return "document missing"
            if not _is(kept, document):
                return "document changed"
        found = list(self._files())
        if any(_is(path, document) for path in found):
            return "valid"
        if any(shown_name(path) == document.file for path in found):
            return "document changed"
        return "document missing" if any(path.is_dir() for path in self._named) else "valid"

    def refuse_strangers(self, files: Sequence[RecordFile]) -> None:
        """Tell of a named paper that no record has.

        Raises:
            ConsentError: there is one.
        """
        documents = [file.record.document for file in files if file.record.document]
        for path in self._named:
            known = path.is_dir() or any(shown_name(path) == one.file or _is(path, one) for one in documents)
            if not known:
                raise ConsentError(f"{path} belongs to no record here; add one with it, or leave it out")

    def _files(self) -> Iterator[Path]:
        for path in self._named:
            yield from sorted(one for one in path.iterdir() if one.is_file()) if path.is_dir() else [path]


def _is(path: Path, document: Document) -> bool:
    try:
        return path.stat().st_size == document.size and returned(hash_path(path)) == document.sha256
    except (ConsentError, OSError):
        return False
