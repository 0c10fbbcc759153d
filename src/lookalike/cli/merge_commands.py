"""Merging and what belongs to it: options in, events out."""

from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from lookalike.cli.commands import Flat, Folder, Overwrite, _show
from lookalike.cluster.config import ClusterOptions
from lookalike.errors import ConfigError
from lookalike.merging.config import MergeConfig, MergeRun
from lookalike.pipeline.config import TrustOptions
from lookalike.pipeline.workspace import Workspace
from lookalike.video.options import EncodeOptions

Output = Annotated[Path | None, Parameter(name=("--output", "-o"), help="result.mp4 in the workspace by default.")]


def merge(
    workspace: Folder,
    *,
    output: Output = None,
    name: Annotated[str | None, Parameter(help="The model's folder under model/; the last one trained.")] = None,
    sequence: Annotated[bool, Parameter(negative="", help="Images into data_dst/merged instead of a video.")] = False,
    first: Annotated[int | None, Parameter(help="Only a piece, piece.mp4: from this frame on, counted from 1.")] = None,
    last: Annotated[int | None, Parameter(help="Only a piece, up to this frame.")] = None,
    overwrite: Overwrite = False,
    config: Annotated[MergeConfig | None, Flat] = None,
    run: Annotated[MergeRun | None, Flat] = None,
    trust: Annotated[TrustOptions | None, Flat] = None,
    encoding: Annotated[EncodeOptions | None, Flat] = None,
    cluster: Annotated[ClusterOptions | None, Flat] = None,
) -> None:
    """Lay the new face into dst and write the video with dst's sound. Shots have their options in merge.toml."""
    place = Workspace(workspace)
    options = config or MergeConfig(), encoding or EncodeOptions()
    if first is not None or last is not None:
        from lookalike.pipeline.merge_piece import merge_piece

        if sequence:
            raise ConfigError("--sequence writes all frames; leave out --first and --last")
        if cluster is not None and cluster.ray is not None:
            raise ConfigError("a piece is merged here; leave out --ray, or --first and --last")
        events = merge_piece(
            place,
            *options,
            first=first,
            last=last,
            run=run,
            trust=trust,
            output=output,
            name=name,
            overwrite=overwrite,
        )
    else:
        from lookalike.pipeline.disguise import proved
        from lookalike.pipeline.merge import merge as start

        merging = partial(
            start,
            place,
            *options,
            run=run,
            trust=trust,
            output=output,
            name=name,
            sequence=sequence,
            overwrite=overwrite,
            cluster=cluster,
        )
        events = merging() if sequence else proved(merging, place, trust or TrustOptions())
    _show(events, place)


def encode(
    workspace: Folder,
    *,
    output: Output = None,
    overwrite: Overwrite = False,
    trust: Annotated[TrustOptions | None, Flat] = None,
    encoding: Annotated[EncodeOptions | None, Flat] = None,
) -> None:
    """Make a video of the images that `merge --sequence` wrote, with dst's times and sound."""
    from lookalike.pipeline.disguise import proved
    from lookalike.pipeline.encode import encode as start

    place = Workspace(workspace)
    encoded = partial(start, place, encoding or EncodeOptions(), trust=trust, output=output, overwrite=overwrite)
    _show(proved(encoded, place, trust or TrustOptions()), place)


def shots(
    workspace: Folder,
    *,
    replace: Annotated[bool, Parameter(negative="", help="Put what is found in the place of the shots there.")] = False,
) -> None:
    """Find the cuts of dst and write its shots into merge.toml, where each may have its own options."""
    from lookalike.pipeline.shots import shots as start

    place = Workspace(workspace)
    _show(start(place, replace=replace), place)
