"""Who signs: the certificate that config.toml names, or a local identity that is made at first use."""

import contextlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import platformdirs
from filelock import FileLock, Timeout

from lookalike.errors import CredentialsError
from lookalike.files import storage_errors, write_bytes
from lookalike.provenance.certificates import LIFE, Identity, Pair, check_pair, make_pair, serial_of
from lookalike.provenance.library import try_identity
from lookalike.site_config import Signing

__all__ = ["Identity", "LocalRoots", "identity_folder", "local_roots", "open_identity"]

_KEY, _CHAIN, _ROOT, _LOCK = "key.pem", "chain.pem", "root.pem", ".lock"
_RENEWED: Final = LIFE / 2
"""A local identity with less time left is followed by a new one, so that every file can be checked for years."""
_MOST_BYTES: Final = 1 << 20
_PATIENCE_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class LocalRoots:
    """What local identities of this machine, old ones too, are known by."""

    pem: str = ""
    serials: frozenset[str] = frozenset()
    """Of their certificates, decimal."""


def open_identity(config: Signing) -> Identity:
    """The certificate and key that config.toml names; without any, this machine's own, made now if need be.

    Raises:
        CredentialsError: they cannot be read, do not fit each other, or are not what C2PA asks for.
        StorageError: a local identity cannot be written.
    """
    if config.certificate is None and config.key is None:
        return _local()
    if config.certificate is None or config.key is None:
        missing = "key" if config.key is None else "certificate"
        raise CredentialsError(f"config.toml names no {missing} under [signing]; name both, or neither")
    identity = check_pair(_read(config.certificate), _read(config.key), config.certificate.name)
    try_identity(identity, config.certificate.name)
    return identity


def identity_folder() -> Path:
    """Where local identities are kept: a folder for each, and `root.pem`, which others may trust."""
    return Path(platformdirs.user_data_dir("lookalike")) / "identity"


def local_roots() -> LocalRoots:
    """The roots of this machine's identities; none where nothing was signed yet. Nothing is written."""
    roots, serials = [], set()
    for folder in _folders(identity_folder()):
        with contextlib.suppress(CredentialsError):
            serials.add(serial_of(_read(folder / _CHAIN), folder.name))
            roots.append(_read(folder / _ROOT))
    return LocalRoots(b"".join(roots).decode("ascii", "replace"), frozenset(serials))


def _local() -> Identity:
    home = identity_folder()
    newest = _newest(home)
    if newest is not None:
        return newest
    with storage_errors(home):
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with FileLock(home / _LOCK, timeout=_PATIENCE_SECONDS):
                return _newest(home) or _make(home)
        except Timeout as exc:
            raise CredentialsError(f"{home} is kept locked by another Lookalike; end it, and try again") from exc


def _newest(home: Path) -> Identity | None:
    """The identity with most time left, if that is enough."""
    known = [one for one in map(_whole, _folders(home)) if one and one.until - datetime.now(UTC) > _RENEWED]
    return max(known, key=lambda one: (one.until, one.serial), default=None)


def _folders(home: Path) -> list[Path]:
    return sorted(home.glob("[0-9]*")) if home.is_dir() else []


def _whole(folder: Path) -> Identity | None:
    """An identity that can sign; what is damaged or over stays where it is, unused."""
    try:
        found = check_pair(_read(folder / _CHAIN), _read(folder / _KEY), folder.name)
        _read(folder / _ROOT)
    except CredentialsError:
        return None
    with contextlib.suppress(OSError):  # somebody else's folder stays as it is
        (folder / _KEY).chmod(0o600)
    return found


def _make(home: Path) -> Identity:
    """Write a new identity: whole under its name, or not at all."""
    pair = make_pair()
    made = check_pair(pair.chain, pair.key, _CHAIN)
    making = Path(tempfile.mkdtemp(prefix=".making-", dir=home))  # which nobody else may enter
    try:
        _write(making, pair)
        making.rename(home / f"{made.until:%Y%m%d}-{int(made.serial):040x}"[:21])
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
    write_bytes(home / _ROOT, b"".join(_read(folder / _ROOT) for folder in _folders(home) if _whole(folder)))
    return made


def _write(folder: Path, pair: Pair) -> None:
    for name, data, mode in ((_KEY, pair.key, 0o600), (_CHAIN, pair.chain, 0o644), (_ROOT, pair.root, 0o644)):
        handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as exc:
        raise CredentialsError(
            f"{path} cannot be read ({exc.strerror or exc}); name a file that can be under [signing] in config.toml"
        ) from exc
    if len(data) > _MOST_BYTES:
        raise CredentialsError(f"{path} is too large for a certificate or a key; name a PEM file in config.toml")
    return data
