"""The commands for facesets: look over, choose, rewrite, pack, bring in and out."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from lookalike.cli.commands import Flat, Folder, _show
from lookalike.curation.faceset_config import (
    CheckConfig,
    ExportConfig,
    FilterConfig,
    ImportConfig,
    ResizeConfig,
    RetypeConfig,
)
from lookalike.pipeline.workspace import Side, Workspace

faceset = App(name="faceset", help="Look after the faces of a side.", help_format="plaintext")
"""The app of `lookalike faceset`."""


@faceset.command
def check(
    workspace: Folder,
    side: Side,
    *,
    json: Annotated[Path | None, Parameter(help="Write score and reasons of every face there.")] = None,
    overwrite: Annotated[bool, Parameter(negative="", help="Write over a file that is there.")] = False,
    config: Annotated[CheckConfig | None, Flat] = None,
) -> None:
    """List the faces whose alignment looks wrong, worst first."""
    from lookalike.pipeline.faceset_check import check as run

    place = Workspace(workspace)
    _show(run(place, side, config or CheckConfig(), json, overwrite=overwrite), place)


@faceset.command
def stats(workspace: Folder, side: Side) -> None:
    """Where the faces look, how large and sharp they are, and what src lacks of dst; as pictures and words."""
    from lookalike.pipeline.faceset_check import stats as run

    place = Workspace(workspace)
    _show(run(place, side), place)


@faceset.command
def debug(workspace: Folder, side: Side) -> None:
    """Draw landmarks and outline onto copies of the faces, in aligned_debug_faces."""
    from lookalike.pipeline.faceset_check import debug as run

    place = Workspace(workspace)
    _show(run(place, side), place)


@faceset.command(name="filter")
def filter_faces(workspace: Folder, side: Side, *, config: Annotated[FilterConfig | None, Flat] = None) -> None:
    """Put faces aside by person, pose, size, sharpness, score or frame. Nothing is deleted."""
    from lookalike.pipeline.faceset_choose import filter_faces as run

    place = Workspace(workspace)
    _show(run(place, side, config or FilterConfig()), place)


@faceset.command
def restore(
    workspace: Folder,
    side: Side,
    *,
    reason: Annotated[str | None, Parameter(help="Only faces whose reason has this in it, e.g. filter.")] = None,
) -> None:
    """Bring faces back from aligned_trash."""
    from lookalike.pipeline.faceset_choose import restore as run

    place = Workspace(workspace)
    _show(run(place, side, reason), place)


@faceset.command
def restore_names(workspace: Folder, side: Side) -> None:
    """Name the faces after their frames again, as extraction did."""
    from lookalike.pipeline.faceset_choose import restore_names as run

    place = Workspace(workspace)
    _show(run(place, side), place)


@faceset.command(name="png2jpg")
def png2jpg(workspace: Folder, side: Side) -> None:
    """Keep PNG faces as JPEG; the old faceset is kept beside."""
    from lookalike.pipeline.faceset_edit import png2jpg as run

    place = Workspace(workspace)
    _show(run(place, side), place)


@faceset.command
def resize(workspace: Folder, side: Side, *, config: Annotated[ResizeConfig, Flat]) -> None:
    """Bring the faces to another size in pixels; the old faceset is kept beside."""
    from lookalike.pipeline.faceset_edit import resize as run

    place = Workspace(workspace)
    _show(run(place, side, config), place)


@faceset.command
def retype(workspace: Folder, side: Side, *, config: Annotated[RetypeConfig, Flat]) -> None:
    """Show more or less around the faces; the old faceset is kept beside."""
    from lookalike.pipeline.faceset_edit import retype as run

    place = Workspace(workspace)
    _show(run(place, side, config), place)


@faceset.command
def pack(
    workspace: Folder,
    side: Side,
    *,
    to: Annotated[Path | None, Parameter(help="The file; aligned.faces beside the faceset by default.")] = None,
) -> None:
    """Put the faces into one file with checksums; the folder stays."""
    from lookalike.pipeline.faceset_files import pack as run

    place = Workspace(workspace)
    _show(run(place, side, to), place)


@faceset.command
def unpack(
    workspace: Folder,
    side: Side,
    *,
    origin: Annotated[
        Path | None, Parameter(name="--from", help="The pack; aligned.faces beside the faceset by default.")
    ] = None,
) -> None:
    """Make the faceset of a pack; only where no faces are yet."""
    from lookalike.pipeline.faceset_files import unpack_faces as run

    place = Workspace(workspace)
    _show(run(place, side, origin), place)


@faceset.command(name="import")
def import_faces(
    workspace: Folder,
    side: Side,
    *,
    origin: Annotated[
        Path,
        Parameter(
            name="--from",
            help="A folder of faces, or a pack; of Lookalike, DeepFaceLab (JPEGs, PNGs, faceset.pak) or faceswap "
            "(PNGs, alignments.fsa).",
        ),
    ],
    config: Annotated[ImportConfig | None, Flat] = None,
) -> None:
    """Add copies of faces from elsewhere, of other tools, too."""
    from lookalike.pipeline.faceset_files import import_faces as run

    place = Workspace(workspace)
    _show(run(place, side, origin, config), place)


@faceset.command(name="export")
def export_faces(
    workspace: Folder,
    side: Side,
    *,
    to: Annotated[Path, Parameter(help="A folder; or a pack by its suffix: .faces, .pak, .fsa.")],
    config: Annotated[ExportConfig | None, Flat] = None,
) -> None:
    """Copy the faces to elsewhere, for other tools, too."""
    from lookalike.pipeline.faceset_files import export_faces as run

    place = Workspace(workspace)
    _show(run(place, side, to, config), place)
