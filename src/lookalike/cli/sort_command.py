"""The command that sorts a faceset."""

from typing import Annotated

from cyclopts import Parameter

from lookalike.cli.commands import Flat, Folder, _show
from lookalike.curation.config import SortConfig
from lookalike.errors import ConfigError
from lookalike.pipeline.workspace import Side, Workspace


def sort(
    workspace: Folder,
    side: Side,
    *,
    undo: Annotated[
        bool, Parameter(negative="", help="Give the files the names they had before the last --rename.")
    ] = False,
    config: Annotated[SortConfig | None, Flat] = None,
) -> None:
    """Order the faces of a side. No file is renamed unless asked to; faces taken out go to aligned_trash."""
    from lookalike.pipeline.sort import sort as run
    from lookalike.pipeline.sort import undo as take_back

    place = Workspace(workspace)
    if undo and config is not None:
        raise ConfigError("--undo takes no other option; run it alone, then sort")
    _show(take_back(place, side) if undo else run(place, side, config or SortConfig()), place)
