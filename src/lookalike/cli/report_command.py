"""The command `report`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from lookalike.cli.commands import Folder, _show
from lookalike.errors import ConfigError
from lookalike.pipeline.workspace import Workspace


def report(
    workspace: Folder,
    *others: Annotated[
        Path, Parameter(help="Compare: videos that are results of this workspace, or other workspaces.")
    ],
    result: Annotated[Path | None, Parameter(help="The video to measure; the last result by default.")] = None,
) -> None:
    """Measure a result against dst: identity, landmarks, pose, expression, seam, flicker, and the worst frames.

    With further videos or workspaces, results are compared.
    """
    place = Workspace(workspace)
    if others and result is not None:
        raise ConfigError("--result measures one video; to compare, name videos without it")
    if others:
        from lookalike.pipeline.compare import compare

        _show(compare(place, others), place)
    else:
        from lookalike.pipeline.report import report as run

        _show(run(place, result=result), place)
