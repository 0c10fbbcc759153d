"""The commands for masks: what of a face is seen, by a network and by hand."""

from pathlib import Path
from typing import Annotated
from urllib.parse import quote

from cyclopts import App, Parameter
from cyclopts.validators import Number

from lookalike.cli.commands import Flat, Folder, _show
from lookalike.cli.serving import served
from lookalike.cluster.config import ClusterOptions
from lookalike.masks.config import MaskApply
from lookalike.pipeline.workspace import Side, Workspace

mask = App(name="mask", help="Say what of a face is seen: by a network, by polygons.", help_format="plaintext")
"""The app of `lookalike mask`."""


@mask.command
def apply(
    workspace: Folder,
    side: Side,
    *,
    again: Annotated[bool, Parameter(negative="", help="Also faces that the same network has masked.")] = False,
    config: Annotated[MaskApply | None, Flat] = None,
    cluster: Annotated[ClusterOptions | None, Flat] = None,
) -> None:
    """Write into every face what a mask network sees of it; training and merging use it."""
    from lookalike.pipeline.masks import apply as run

    place = Workspace(workspace)
    _show(run(place, side, config or MaskApply(), again=again, cluster=cluster), place)


@mask.command
def edit(
    workspace: Folder,
    side: Side,
    *,
    port: Annotated[int, Parameter(help="Where the page is served; 0 for any free port.")] = 0,
) -> None:
    """Draw in the browser what a face's mask includes and leaves out, on the studio's page of masks. Ctrl-C ends it."""
    from lookalike.pipeline.faceset_reading import open_faces
    from lookalike.web.studio.app import StudioServer

    place = Workspace(workspace)
    open_faces(place, side)  # says in one line what is missing
    studio = StudioServer(place.folder, port=port)
    page = f"#/w/{quote(place.folder.resolve().name)}/masks/{side}"
    _show(served(studio, "mask", f"draw at {{url}}{page} (every change is saved at once; Ctrl-C ends)"))


@mask.command
def carry(
    workspace: Folder,
    side: Side,
    *,
    reach: Annotated[
        int, Parameter(validator=Number(gte=0), help="Frames before the first and after the last drawn face, too.")
    ] = 0,
) -> None:
    """Bring polygons to the faces between those they were drawn on, along the landmarks."""
    from lookalike.pipeline.masks import carry as run

    place = Workspace(workspace)
    _show(run(place, side, reach=reach), place)


@mask.command
def fetch(
    workspace: Folder,
    side: Side,
    *,
    to: Annotated[Path | None, Parameter(help="A folder; aligned_xseg beside the faceset by default.")] = None,
) -> None:
    """Copy the faces with polygons to a folder of their own, for the training of other mask networks."""
    from lookalike.pipeline.masks import fetch as run

    place = Workspace(workspace)
    _show(run(place, side, to), place)


@mask.command
def remove(
    workspace: Folder,
    side: Side,
    *,
    masks: Annotated[bool, Parameter(help="Take out what networks said.")] = True,
    polygons: Annotated[bool, Parameter(negative="", help="Take out polygons; they are kept in a file.")] = False,
) -> None:
    """Take masks out of the faces."""
    from lookalike.pipeline.masks import remove as run

    place = Workspace(workspace)
    _show(run(place, side, masks=masks, polygons=polygons), place)
