"""The command `report`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from lookalike.cli.commands import Folder, _show
from lookalike.pipeline.workspace import Workspace


def report(
    workspace: Folder,
    *,
    result: Annotated[Path | None, Parameter(help="The video to measure; the last result by default.")] = None,
) -> None:
    """Measure a result against dst: identity, landmarks, expression, untouched pixels, sharpness, flicker."""
    from lookalike.pipeline.report import report as run

    place = Workspace(workspace)
    _show(run(place, result=result), place)
