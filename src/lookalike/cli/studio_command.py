"""The command `studio`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from lookalike.cli.commands import _show
from lookalike.cli.serving import served


def studio(
    folder: Annotated[Path, Parameter(help="A workspace, or a folder to keep workspaces in.")] = Path(),
    *,
    port: Annotated[int, Parameter(help="Where the page is served; 0 for any free port.")] = 0,
) -> None:
    """Serve the page on which everything can be looked at and done. Ctrl-C ends it; jobs save their state."""
    from lookalike.web.studio.app import StudioServer

    _show(served(StudioServer(folder, port=port), "studio", "open {url} in a browser; Ctrl-C ends it"))
