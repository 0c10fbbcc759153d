"""The commands around a training: timelapse."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from lookalike.cli.commands import Folder, _show
from lookalike.pipeline.workspace import Workspace


def timelapse(
    workspace: Folder,
    *,
    name: Annotated[str | None, Parameter(help="The model's folder under model/; the one trained last.")] = None,
    output: Annotated[
        Path | None, Parameter(name=("--output", "-o"), help="timelapse.mp4 in the model's folder by default.")
    ] = None,
    fps: Annotated[int, Parameter(validator=Number(gte=1, lte=240), help="Pictures a second.")] = 30,
    seconds: Annotated[
        float | None,
        Parameter(
            validator=Number(gt=0), help="Longest duration: pictures are left out evenly; all are shown by default."
        ),
    ] = None,
    credentials: Annotated[bool, Parameter(help="Sign it with content credentials.")] = True,
) -> None:
    """Make a video of a model's preview history, which `train --write-preview-history` keeps. It may be in training."""
    from lookalike.pipeline.models import model_name
    from lookalike.pipeline.timelapse import timelapse as run

    place = Workspace(workspace)
    # Not locked: nothing of the workspace is changed, and the training that holds the lock may go on.
    _show(run(place, model_name(place, name), output=output, fps=fps, seconds=seconds, credentials=credentials))
