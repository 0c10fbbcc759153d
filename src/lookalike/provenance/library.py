"""The C2PA library as it is used here: no thumbnails, no network, errors in one line."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import c2pa

from lookalike.errors import CredentialsError
from lookalike.provenance.certificates import Identity
from lookalike.provenance.public import one_line

STORE_MIME: Final = "application/c2pa"
"""Of a manifest store, which is what a sidecar holds."""
EMBEDS: Final = frozenset({"video/mp4", "video/quicktime", "image/png", "image/jpeg", "image/webp"})
"""Types of files that carry their credentials themselves; others get a sidecar."""

IN_MEMORY_MB: Final = 64
"""Files up to this size are held in memory while they are signed; of larger ones the library makes a temporary file."""
UNTRUSTED: Final = "signingCredential.untrusted"
"""The library's word for a signer on no list."""
_TRIAL, _TRIAL_MIME = b"trial", "text/plain"
_CREATED: Final = {"digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCreation"}


def context(anchors: str = "") -> c2pa.Context:
    """Settings of one reading or signing.

    Args:
        anchors: PEM of roots that are trusted, and of no others.
    """
    settings: dict[str, Any] = {
        "core": {"backing_store_memory_threshold_in_mb": IN_MEMORY_MB},
        "builder": {"thumbnail": {"enabled": False}},
        "verify": {"verify_trust": True, "remote_manifest_fetch": False, "ocsp_fetch": False},
    }
    if anchors:
        settings["trust"] = {"user_anchors": anchors}
    return c2pa.Context.from_dict(settings)


@contextmanager
def signer(identity: Identity) -> Iterator[c2pa.Signer]:
    """Whoever signs, without a time stamp."""
    algorithm = c2pa.C2paSigningAlg[identity.algorithm]
    info = c2pa.C2paSignerInfo(algorithm, identity.chain, identity.key, None)
    with c2pa.Signer.from_info(info) as one:
        yield one


@contextmanager
def signing_errors(what: str) -> Iterator[None]:
    """Turn the library's errors into one line.

    Raises:
        CredentialsError: in place of them.
    """
    try:
        yield
    except c2pa.C2paError as exc:
        raise CredentialsError(f"{what} cannot be signed: {one_line(str(exc))}; see docs/credentials.md") from exc


def try_identity(identity: Identity, name: str) -> None:
    """Sign a few bytes, so that what the library has against a certificate is known before any work is done.

    Args:
        name: of the certificate's file, for the message.

    Raises:
        CredentialsError: it refuses.
    """
    definition = {
        "claim_generator_info": [{"name": "trial", "version": "1"}],
        "assertions": [{"label": "c2pa.actions.v2", "data": {"actions": [{"action": "c2pa.created", **_CREATED}]}}],
    }
    with signing_errors(f"with {name} nothing"), signer(identity) as one, context() as settings:
        with c2pa.Builder(definition, context=settings) as builder:
            builder.set_no_embed()
            store = builder.sign(one, _TRIAL_MIME, io.BytesIO(_TRIAL), io.BytesIO())
        with c2pa.Reader(_TRIAL_MIME, io.BytesIO(_TRIAL), store, context=settings) as reader:
            failures = [x["code"] for x in (reader.get_validation_results() or {})["activeManifest"]["failure"]]
    wrong = [code for code in failures if code != UNTRUSTED]
    if wrong:
        raise CredentialsError(f"{name} cannot sign content credentials ({wrong[0]}); see docs/credentials.md")
