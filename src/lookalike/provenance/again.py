"""Signing a result once more: after other tools changed it, or in another name."""

import io
from pathlib import Path
from typing import Final

import c2pa

from lookalike.errors import CredentialsError
from lookalike.provenance.certificates import Identity
from lookalike.provenance.claim import Claim, hash_of, mime_of, now
from lookalike.provenance.library import EMBEDS
from lookalike.provenance.manifest import change, parent_of
from lookalike.provenance.signing import parent_archive, sign_file
from lookalike.provenance.verify import State, Verdict, verify

KINDS: Final = EMBEDS | {"video/x-matroska", "video/webm"}
"""Types of files that are signed."""
_WHOLE: Final[set[State]] = {"trusted", "valid"}


def sign_again(
    file: Path, output: Path, identity: Identity, version: str, *, parent: Path | None = None
) -> Path | None:
    """Sign a file made of a result; what is told of the result is told of it, too.

    Args:
        file: what is signed.
        output: the signed file; may be `file`.
        identity: who signs.
        version: of Lookalike.
        parent: the result that it was made of; None where only the signer changes.

    Returns:
        The sidecar, for kinds of files that cannot hold credentials.

    Raises:
        CredentialsError: it is signed already; or the parent is no result of Lookalike, or was changed since.
        StorageError: the disk is full or not writable.
    """
    if mime_of(file) not in KINDS or mime_of(output) != mime_of(file):
        raise CredentialsError(
            f"{output.name} cannot be signed as a copy of {file.name}; give MP4, MOV, MKV, WebM, PNG, JPEG or WebP, "
            "and both of one kind"
        )
    same = parent is None or parent.samefile(file)
    claim = _claim_of(file, verify(file), identity) if parent is None or same else _claim_of(parent, verify(parent))
    opened = file if parent is None else parent
    named = parent_of(opened.name, mime_of(opened), f"SHA-256 {hash_of([opened])}")
    archive = parent_archive(named, opened)
    definition = change(claim, version, now(), output.name, mime_of(output), same=same)
    if archive is None:
        definition["ingredients"] = [named]

    def fill(builder: c2pa.Builder) -> None:
        if archive is not None:
            builder.add_ingredient_from_archive(io.BytesIO(archive))

    return sign_file(file, output, output, definition, claim, identity, fill)


def _claim_of(path: Path, verdict: Verdict, identity: Identity | None = None) -> Claim:
    """What is told of a result; refuses what it cannot be said of.

    Args:
        identity: who wants to sign the file itself, not something made of it.
    """
    name = "give the result that it was made of with --from" if identity else "give another with --from"
    if verdict.state == "tampered":
        raise CredentialsError(f"{path} was changed since it was signed, so what it says does not hold; {name}")
    if verdict.state == "removed":
        raise CredentialsError(f"the credentials of {path} were removed; {name}")
    if verdict.state == "absent":
        raise CredentialsError(f"{path} has no credentials, so nothing is known of it; {name}")
    if verdict.claim is None:
        raise CredentialsError(f"the credentials of {path} are not of Lookalike; {name}")
    if identity is not None and verdict.serial == identity.serial:
        raise CredentialsError(f"{path} is signed already and was not changed since; there is nothing to do")
    return verdict.claim
