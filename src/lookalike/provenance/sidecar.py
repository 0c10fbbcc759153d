"""Credentials beside a file whose kind cannot hold them: `result.mkv.c2pa` for `result.mkv`."""

from pathlib import Path
from typing import Final

from lookalike.errors import CredentialsError

_SUFFIX: Final = ".c2pa"
_MOST_BYTES: Final = 64 << 20


def sidecar_of(path: Path) -> Path:
    """Where the credentials of a file lie when it cannot hold them."""
    return path.with_name(path.name + _SUFFIX)


def is_sidecar(path: Path) -> bool:
    """Whether a file is named like one."""
    return path.suffix.lower() == _SUFFIX


def read_sidecar(path: Path) -> bytes | None:
    """The credentials beside a file; None where there are none.

    Raises:
        CredentialsError: they cannot be read, or are larger than any are.
    """
    beside = sidecar_of(path)
    if not beside.is_file():
        return None
    try:
        with beside.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as exc:
        raise CredentialsError(f"{beside} cannot be read ({exc.strerror or exc}); give yourself the right to") from exc
    if len(data) > _MOST_BYTES:
        raise CredentialsError(f"{beside} is too large for credentials; remove it if it is not yours")
    return data
