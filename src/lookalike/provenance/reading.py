"""Reading credentials out of files that may come from anybody, as the library finds them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

import c2pa

from lookalike.errors import CredentialsError
from lookalike.provenance.claim import mime_of
from lookalike.provenance.library import context
from lookalike.provenance.marks import MOST_TOKEN, TOKEN, TOKEN_START
from lookalike.provenance.screening import Metered, may_be_read
from lookalike.provenance.sidecar import is_sidecar, read_sidecar

_STORE: Final = (b"jumdc2pa", b"jumdc2pa\x00\x11\x00\x10")
"""How every manifest store begins (C2PA specification, 11.1), also a damaged one; lies open in every kind of file.

The first is looked for first, as Python finds what has zeros in it slowly among zeros.
"""
_BLOCK: Final = 4 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """What a file has of credentials."""

    state: str | None = None
    """Invalid, Valid or Trusted, as the library says; None where there is nothing that it can read."""
    failures: list[str] = field(default_factory=list)
    manifest: dict[str, Any] = field(default_factory=dict)
    """The last one made, of the file itself."""
    beside: bool = False
    """They lie in a sidecar."""
    damaged: bool = False
    """There are some, and they cannot be read."""
    token: str | None = None
    """Id of the credentials that the metadata speaks of; looked for only where there are none."""


class _TooManyPartsError(Exception):
    """The library asked for more than it may."""


def find(path: Path, anchors: str) -> Found:
    """Look for the credentials of a file, in it and beside it, and check them.

    Args:
        anchors: PEM of roots that are trusted.

    Raises:
        CredentialsError: the file is not there or cannot be read.
    """
    if not path.is_file():
        raise CredentialsError(f"{path} is no file; name a video or an image")
    if is_sidecar(path):
        raise CredentialsError(f"{path} holds the credentials of {path.stem}; name that file")
    try:
        store = read_sidecar(path)
        with path.open("rb") as file:
            if not may_be_read(file):
                return _unread(file, path, store)
            try:
                found = _read(file, path, None, anchors)
                if found is None and store is not None:
                    found = _read(file, path, store, anchors)
            except _TooManyPartsError:
                return _unread(file, path, store)
            return found or _marks(file)
    except OSError as exc:
        raise CredentialsError(f"{path} cannot be read ({exc.strerror or exc}); give yourself the right to") from exc


def _unread(file: BinaryIO, path: Path, store: bytes | None) -> Found:
    """What can be said of a file that the library does not get to see."""
    found = _marks(file)
    if found.damaged or store is not None:
        raise CredentialsError(f"{path} has credentials, and is too large or made of too many parts to be checked")
    return found


def _read(file: BinaryIO, path: Path, store: bytes | None, anchors: str) -> Found | None:
    """What the library says of a file, or of a file with what lies beside it; None where it finds nothing."""
    mime = mime_of(path)
    known = store is not None or mime in c2pa.Reader.get_supported_mime_types()
    metered = Metered(file)
    try:
        with (
            context(anchors) as settings,
            c2pa.Reader(mime if known else None, metered, store, context=settings) as reader,
        ):
            manifest = reader.get_active_manifest()
            results = reader.get_validation_results() or {}
            state = reader.get_validation_state()
    except c2pa.C2paError as exc:
        if metered.exhausted:
            raise _TooManyPartsError from exc
        if store is not None:
            return Found(beside=True, damaged=True)
        return None  # nothing, or nothing that can be read: the bytes tell which
    except (KeyError, ValueError, RecursionError):  # the library's Python part finds it odd
        return Found(beside=store is not None, damaged=True)
    active = results.get("activeManifest") or {}
    failures = [str(one.get("code")) for one in active.get("failure", [])]
    return Found(state, failures, manifest or {}, beside=store is not None)


def _marks(file: BinaryIO) -> Found:
    """What the bytes of a file show where no credentials could be read in it."""
    file.seek(0)
    kept, token, damaged = b"", None, False
    while block := file.read(_BLOCK):
        seen = kept + block
        damaged = damaged or all(sign in seen for sign in _STORE)
        match = TOKEN.search(seen) if token is None and TOKEN_START in seen else None
        token = match[1].decode() if match else token
        kept = seen[-MOST_TOKEN:]
    return Found(damaged=damaged, token=token)
