"""Writing files so that a reader sees the old whole or the new whole, never a half."""

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from lookalike.errors import StorageError

_LONGEST_NAME = 255
"""Bytes."""
_HALF_WRITTEN = (".*.partial*", ".tmp" + "[0-9A-Za-z]" * 6)
"""Our own names, and that of safetensors."""
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn a full or read-only disk into one line that names it."""
    try:
        yield
    except OSError as exc:
        if exc.errno in _NO_ROOM:
            raise StorageError(f"no space left while writing {path}; free some and run the same command again") from exc
        if exc.errno in (errno.EACCES, errno.EROFS, errno.EPERM):
            raise StorageError(f"{path} cannot be written ({os.strerror(exc.errno)}); choose another folder") from exc
        raise


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; rename it over `path` when the block ends well.

    The temporary keeps the suffix, so writers that choose a format by name work. It is removed when the block raises.

    Raises:
        StorageError: the disk is full or not writable.
    """
    temporary = _partial(path)
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            with temporary.open("rb+") as handle:
                os.fsync(handle.fileno())
            temporary.replace(path)
        except BaseException:
            discard(temporary)
            raise


def _partial(path: Path) -> Path:
    """A hidden name beside `path`, cut where the whole would be longer than file systems take."""
    room = _LONGEST_NAME - len(os.fsencode(f"..partial{path.suffix}"))
    stem = (
        os.fsencode(path.stem)[: max(room, 0)].decode(errors="ignore")
        if room < len(os.fsencode(path.stem))
        else path.stem
    )
    return path.with_name(f".{stem}.partial{path.suffix}")


def discard(path: Path) -> None:
    """Remove a file that is not needed, if that can be done; whoever calls has worse to tell."""
    with suppress(OSError):
        path.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove what killed runs left of files that were being written into a folder; nobody may be writing there now."""
    for pattern in _HALF_WRITTEN:
        for path in folder.glob(pattern):
            discard(path)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path` whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, whole or not at all."""
    write_bytes(path, (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode())


def unused_path(path: Path) -> Path:
    """`path`, or the first of path-2, path-3, ... that does not exist."""
    candidate, number = path, 2
    while candidate.exists():
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return candidate
