"""The command `export`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from lookalike.cli.commands import Flat, Folder, Overwrite, _show
from lookalike.pipeline.export_options import ExportOptions, Target
from lookalike.pipeline.workspace import Workspace


def export(
    workspace: Folder,
    *,
    to: Annotated[
        Target, Parameter(help="dfm: for DeepFaceLive and other players. onnx: plain. dfl: DeepFaceLab 2's folder.")
    ],
    output: Annotated[
        Path | None,
        Parameter(name=("--output", "-o"), help="The model's name with .dfm, .onnx or .dfl in the workspace."),
    ] = None,
    name: Annotated[str | None, Parameter(help="The model's folder under model/; the last one trained.")] = None,
    overwrite: Overwrite = False,
    options: Annotated[ExportOptions | None, Flat] = None,
) -> None:
    """Write a model for players (.dfm), as ONNX, or for DeepFaceLab 2. Whoever has the file can draw that face."""
    from lookalike.pipeline.export import export as run

    place = Workspace(workspace)
    _show(run(place, to, options, output=output, name=name, overwrite=overwrite), place)
