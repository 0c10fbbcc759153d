"""Putting a manifest into files, or beside them."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import c2pa

from lookalike.errors import CredentialsError
from lookalike.files import replacing, write_bytes
from lookalike.provenance.certificates import Identity
from lookalike.provenance.claim import Claim, mime_of
from lookalike.provenance.library import EMBEDS, STORE_MIME, context, signer, signing_errors
from lookalike.provenance.manifest import PARENT
from lookalike.provenance.screening import Metered, may_be_read
from lookalike.provenance.sidecar import read_sidecar, sidecar_of
from lookalike.provenance.streams import Nowhere, WithTail, room_beside, target
from lookalike.provenance.xmp import box, with_xmp

Fill = Callable[[c2pa.Builder], None]
"""Adds to a manifest what is not in its definition: ingredients, pictures."""
_STORE: Final = "parent.c2pa"


def sign_file(
    source: Path, to: Path, output: Path, definition: dict[str, Any], claim: Claim, identity: Identity, fill: Fill
) -> Path | None:
    """Sign a file.

    Args:
        source: the file as it is; not changed unless it is `to`.
        to: the signed file; written beside and renamed.
        output: where that will be, for the name and the kind.
        definition: of the manifest.

    Returns:
        The sidecar beside `output`, where there has to be one.

    Raises:
        CredentialsError: it cannot be signed. StorageError: the disk is full or not writable.
    """
    mime = mime_of(output)
    if mime in EMBEDS and mime.startswith("image/"):
        write_bytes(to, sign_image(source.read_bytes(), mime, output.name, definition, claim, identity, fill))
        return None
    if mime in EMBEDS:
        with replacing(to) as temporary, source.open("rb") as file, target(temporary) as written, room_beside(output):
            _sign(mime, WithTail(file, box(file, claim)), written, output.name, definition, identity, fill)
        return None
    with source.open("rb") as file, room_beside(output):
        store = _sign(mime, file, None, output.name, definition, identity, fill)
    if to != source:
        with replacing(to) as temporary:
            shutil.copyfile(source, temporary)
    write_bytes(sidecar_of(output), store)
    return sidecar_of(output)


def sign_image(
    data: bytes, mime: str, title: str, definition: dict[str, Any], claim: Claim, identity: Identity, fill: Fill
) -> bytes:
    """Sign an image in memory; its pixels stay as they are encoded.

    Raises:
        CredentialsError: it cannot be signed, or is no image of this type.
    """
    written = io.BytesIO()
    _sign(mime, io.BytesIO(with_xmp(data, mime, claim)), written, title, definition, identity, fill)
    return written.getvalue()


def parent_archive(parent: dict[str, Any], file: Path) -> bytes | None:
    """A file as an ingredient with the credentials that it has, ready to be added to many manifests.

    Args:
        parent: what is said of it.

    Returns:
        None for a file that the library cannot look into; it is named then, and no more.

    Raises:
        CredentialsError: it cannot be read.
    """
    store = read_sidecar(file)
    archive = io.BytesIO()
    try:
        with context() as settings, c2pa.Builder({"claim_generator_info": []}, context=settings) as builder:
            with file.open("rb") as handle:
                if not may_be_read(handle):
                    return None
                handle.seek(0)
                if store is not None and parent["format"] not in EMBEDS:
                    builder.add_resource(_STORE, io.BytesIO(store))
                    parent = parent | _found_beside(handle, parent["format"], store)
                builder.add_ingredient(parent, parent["format"], Metered(handle))
            builder.write_ingredient_archive(PARENT, archive)
    except c2pa.C2paError:
        return None
    except OSError as exc:
        raise CredentialsError(f"{file} cannot be read ({exc.strerror or exc}); give a file that can be") from exc
    return archive.getvalue()


def _found_beside(file: Any, mime: str, store: bytes) -> dict[str, Any]:
    """What is said of an ingredient whose credentials lie beside it: the library finds only those within."""
    with context() as settings, c2pa.Reader(mime, Metered(file), store, context=settings) as reader:
        active = reader.get_active_manifest() or {}
        results = reader.get_validation_results()
    file.seek(0)
    data = {"format": STORE_MIME, "identifier": _STORE}
    return {"active_manifest": active["label"], "validation_results": results, "manifest_data": data}


def _sign(
    mime: str, source: Any, written: Any, title: str, definition: dict[str, Any], identity: Identity, fill: Fill
) -> bytes:
    """Sign what is read into what is written; without the latter nothing is embedded. Returns the manifest store."""
    with (
        signing_errors(title),
        signer(identity) as one,
        context() as settings,
        c2pa.Builder(definition, context=settings) as builder,
    ):
        fill(builder)
        if written is None:
            builder.set_no_embed()
        store: bytes = builder.sign(one, mime, source, written if written is not None else Nowhere())
        return store
