"""Content credentials of what one step delivers: prepared once, then put into every file."""

import io
from pathlib import Path
from typing import Any

import c2pa

from lookalike.provenance.certificates import Identity
from lookalike.provenance.claim import Claim, mime_of
from lookalike.provenance.manifest import FACE_PICTURE, dst_of, swap
from lookalike.provenance.marks import container_tags
from lookalike.provenance.signing import parent_archive, sign_file, sign_image


class Credentials:
    """What is signed into the files of one step. May be used from several threads."""

    def __init__(
        self, claim: Claim, identity: Identity, *, dst: Path | None = None, face_picture: bytes | None = None
    ) -> None:
        """Reads dst's own credentials, if it has any.

        Args:
            claim: what is told.
            identity: who signs.
            dst: the video that received the face; its credentials go along. None, or a folder: it is only named.
            face_picture: a JPEG of the person put in, shown to everybody; none by default.

        Raises:
            CredentialsError: the identity cannot sign.
        """
        self._claim, self._identity, self._face = claim, identity, face_picture
        self._parent = parent_archive(dst_of(claim), dst) if dst is not None and dst.is_file() else None

    def tags(self) -> dict[str, str]:
        """Tags for the container, written before it is signed; they stay when the credentials are lost."""
        return container_tags(self._claim)

    def sign_file(self, path: Path, *, output: Path) -> Path | None:
        """Sign a finished file in place: it is replaced when all went well, else it stays as it was.

        Args:
            path: of a video or an image.
            output: where it will be renamed to, for its name and kind.

        Returns:
            The sidecar, written beside `output`, where the kind of file cannot hold credentials.

        Raises:
            CredentialsError: it cannot be signed. StorageError: the disk is full or not writable.
        """
        definition = self._definition(output.name, mime_of(output))
        return sign_file(path, path, output, definition, self._claim, self._identity, self._fill)

    def sign_bytes(self, data: bytes, mime: str, title: str) -> bytes:
        """Sign an image in memory; its pixels stay as they are encoded.

        Args:
            data: the file, PNG, JPEG or WebP.
            mime: its type.
            title: its name.

        Raises:
            CredentialsError: it cannot be signed.
        """
        definition = self._definition(title, mime)
        return sign_image(data, mime, title, definition, self._claim, self._identity, self._fill)

    def _definition(self, title: str, mime: str) -> dict[str, Any]:
        if self._claim.dst is None:
            title = f"result{Path(title).suffix}"
        definition = swap(self._claim, title, mime, show_face=self._face is not None)
        if self._parent is None:
            definition["ingredients"].append(dst_of(self._claim))
        return definition

    def _fill(self, builder: c2pa.Builder) -> None:
        if self._face is not None:
            builder.add_resource(FACE_PICTURE, io.BytesIO(self._face))
        if self._parent is not None:
            builder.add_ingredient_from_archive(io.BytesIO(self._parent))
