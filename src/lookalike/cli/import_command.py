"""The command `import`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from lookalike.cli.commands import Folder, _show
from lookalike.options import FaceType
from lookalike.pipeline.workspace import Workspace


def import_(
    model: Annotated[Path, Parameter(help="A model folder of DeepFaceLab 2, or one file of a model.")],
    workspace: Folder,
    *,
    name: Annotated[str | None, Parameter(help="The model's folder under model/; its name there if left out.")] = None,
    model_name: Annotated[str | None, Parameter(help="Which of the folder's models, by its owner's name.")] = None,
    face_type: Annotated[FaceType | None, Parameter(help="In the place of the face type that its options say.")] = None,
) -> None:
    """Take over a model of DeepFaceLab 2 (SAEHD, AMP, Quick96, XSeg), to train on or merge. Nothing in it is run."""
    from lookalike.pipeline.import_model import import_model

    place = Workspace(workspace)
    _show(import_model(place, model, name=name, model_name=model_name, face_type=face_type), place)


globals()["import"] = import_  # the name of the command, which no function can have
