"""Data sets of real and fake clips: options in, events out."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from lookalike.cli.commands import Flat, _show
from lookalike.pipeline.dataset_options import DatasetOptions


def dataset(
    out: Annotated[Path, Parameter(help="Folder of the data set; new, empty, or begun by an earlier run.")],
    *,
    sources: Annotated[
        list[Path],
        Parameter(name="--from", consume_multiple=True, negative="", help="Files of jobs, and workspaces."),
    ],
    options: Annotated[DatasetOptions | None, Flat] = None,
) -> None:
    """Write real and fake clips with masks, labels and a split in which nobody is twice. Run it again to go on."""
    from lookalike.pipeline.dataset import dataset as run

    _show(run(out, sources, options or DatasetOptions()))
