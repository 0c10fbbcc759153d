"""The command `wipe`."""

from typing import Annotated

from cyclopts import Parameter

from lookalike.cli.commands import Flat, Folder, _show
from lookalike.pipeline.config import WipeOptions
from lookalike.pipeline.workspace import Workspace


def wipe(
    workspace: Folder,
    *,
    yes: Annotated[bool, Parameter(negative="", help="Remove; otherwise only say what would go.")] = False,
    options: Annotated[WipeOptions | None, Flat] = None,
) -> None:
    """Remove what a workspace holds of people: facesets, models, previews, logs, reports, copies of the videos.

    Nothing outside of the workspace is touched. Without --yes it only lists what would go, and exits with 1.
    """
    from lookalike.pipeline.wipe import wipe as run

    place = Workspace(workspace)
    with place.locked(mend=False):  # what is damaged goes as well
        _show(run(place, options, yes=yes))
