"""Content credentials of what a workspace delivers: what they say, and where they are put."""

import io
from pathlib import Path
from typing import Any, Final

from PIL import Image
from pydantic import Field

from lookalike import __version__
from lookalike.faceset import list_faces, load_face
from lookalike.models.checkpoint import PARTS, load_state
from lookalike.options import Options
from lookalike.pipeline.config import TrustOptions
from lookalike.pipeline.consent_material import returned, side_material
from lookalike.pipeline.segments import MARK
from lookalike.pipeline.trust import Admission
from lookalike.pipeline.workspace import Workspace
from lookalike.provenance.claim import (
    Claim,
    FacesetFacts,
    FileFacts,
    ModelFacts,
    content_files,
    faceset_facts,
    hash_of,
    mime_of,
    now,
)
from lookalike.provenance.credentials import Credentials
from lookalike.provenance.identity import open_identity
from lookalike.provenance.sidecar import sidecar_of
from lookalike.site_config import load_site_config
from lookalike.video import Seal

_FACE_SIDE: Final = 256


class Told(Options):
    """What is told of how a result was made."""

    models: dict[str, int] = Field(default_factory=dict)
    """Iterations of those that drew, by name."""
    settings: dict[str, Any] = Field(default_factory=dict)
    """Whatever decided the pictures."""
    label: bool = False
    """Whether the picture itself says that it is made."""
    names: bool = True
    """Whether footage, people and settings are named."""


class Sealer:
    """Signs what a step delivers; without credentials it leaves files as they are, but for the mark of a swap."""

    def __init__(self, credentials: Credentials | None = None) -> None:
        self._credentials = credentials

    @property
    def tags(self) -> dict[str, str]:
        """Tags of a video, which stay when its credentials are lost."""
        return {"comment": MARK} | (self._credentials.tags() if self._credentials else {})

    def video(self, output: Path) -> Seal:
        """What is done with a finished file that will be named `output`: the last thing, in place."""

        def sign(path: Path) -> None:
            if self._credentials is not None:
                self._credentials.sign_file(path, output=output)
            else:
                sidecar_of(output).unlink(missing_ok=True)  # of the result that this one takes the place of

        return sign

    def image(self, data: bytes, name: str) -> bytes:
        """The bytes of an image file with its credentials."""
        return self._credentials.sign_bytes(data, mime_of(Path(name)), name) if self._credentials else data


def open_sealer(
    workspace: Workspace,
    trust: TrustOptions,
    admission: Admission,
    told: Told,
) -> Sealer:
    """Prepare the credentials of what a step is about to deliver, before it works.

    Args:
        trust: whether there are to be any.
        admission: what was found when the step was admitted.
        told: how it is made.

    Raises:
        CredentialsError: no identity can be made or used. ConfigError: config.toml cannot be read.
        WorkspaceError: dst is gone. CheckpointError: a model cannot be read. StorageError: no room for an identity.
    """
    config = load_site_config()
    if not (trust.credentials or config.policy.credentials):
        return Sealer()
    named = told.names and not trust.disguise  # nothing may lead back from a disguise to the original
    models = [_model(workspace, name, iterations) for name, iterations in sorted(told.models.items())]
    claim = Claim(
        version=__version__,
        made=now(),
        dst=_dst(workspace) if named else None,
        src=_src(workspace, named),
        models=models if named else [one.model_copy(update={"name": one.kind}) for one in models],
        settings=told.settings if named else {},
        consents=admission.consents,
        content_check=admission.content_check,
        label=told.label,
    )
    face = _face(workspace) if trust.show_face else None
    dst = workspace.video("dst") if named else None
    return Sealer(Credentials(claim, open_identity(config.signing), dst=dst, face_picture=face))


def _dst(workspace: Workspace) -> FileFacts:
    path = workspace.video("dst")
    digest = returned(side_material(workspace, "dst")).items[0].sha256
    mime = mime_of(next(iter(content_files(path))))
    return FileFacts(title=workspace.origin("dst").name, sha256=digest, mime=mime)


def _src(workspace: Workspace, named: bool) -> FacesetFacts:
    """The faceset as it is now; none at all where faces were wiped, or a model came from elsewhere."""
    if not workspace.aligned("src").is_dir():
        return FacesetFacts(title="faces", faces=0, sha256=hash_of([]))
    named = named and workspace.record.src is not None
    return faceset_facts(workspace.aligned("src"), workspace.origin("src").stem if named else "faces")


def _model(workspace: Workspace, name: str, iterations: int) -> ModelFacts:
    folder = workspace.model(name)
    weights = hash_of([folder / PARTS[0]])
    return ModelFacts(name=name, kind=load_state(folder).model.model, sha256=weights, iterations=iterations)


def _face(workspace: Workspace) -> bytes:
    """A face of src as JPEG, without the record that its own file holds."""
    faces = list_faces(workspace.aligned("src"))
    pixels, _ = load_face(faces[len(faces) // 2])
    shown, file = Image.fromarray(pixels), io.BytesIO()
    shown.thumbnail((_FACE_SIDE, _FACE_SIDE))
    shown.save(file, "JPEG", quality=90)
    return file.getvalue()
