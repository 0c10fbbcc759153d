"""Signing a file that other tools made of a result."""

from collections.abc import Iterator
from pathlib import Path

from lookalike import __version__
from lookalike.errors import CredentialsError
from lookalike.provenance.again import sign_again
from lookalike.provenance.identity import open_identity
from lookalike.site_config import load_site_config
from lookalike.types import Event, Message


def sign(
    file: Path, *, output: Path | None = None, parent: Path | None = None, overwrite: bool = False
) -> Iterator[Event]:
    """Sign a file that was made of a result of Lookalike, such as a graded or encoded copy.

    Args:
        output: the signed file; None to sign in place.
        parent: the result; None where the file is one and only the signer changes.
        overwrite: write over an output that is there.

    Raises:
        CredentialsError: there is nothing to sign, or nothing to say of it. StorageError: no room.
        ConfigError: config.toml cannot be read.
    """
    for path in filter(None, (file, parent)):
        if not path.is_file():
            raise CredentialsError(f"{path} is no file; name a video or an image")
    to = output or file
    if output is not None and output.exists() and not overwrite and not output.samefile(file):
        raise CredentialsError(f"{output} is there already; choose another name, or write over it with --overwrite")
    identity = open_identity(load_site_config().signing)
    sidecar = sign_again(file, to, identity, __version__, parent=parent)
    beside = f"; its credentials lie in {sidecar.name}, keep them beside it" if sidecar else ""
    yield Message("sign", f"signed {to}{beside}")
