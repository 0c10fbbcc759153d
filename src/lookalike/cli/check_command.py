"""The command `check`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from lookalike.cli.commands import _show
from lookalike.pipeline.workspace import Side, Workspace


def check(
    place: Annotated[Path, Parameter(help="A video, or a workspace, whose videos are looked at and how they fit.")],
    *,
    side: Annotated[Side, Parameter(help="What a single video is wanted for.")] = "src",
    frames: Annotated[int, Parameter(help="How many frames of each video are looked at.")] = 40,
) -> None:
    """Look at some frames: size, sharpness, light, angles, people. Says what is good and what is missing."""
    from lookalike.errors import ConfigError
    from lookalike.pipeline.video_check import check_video, check_workspace

    if frames < 1:
        raise ConfigError(f"--frames is {frames}; give 1 or more")
    if (place / "workspace.toml").is_file():
        _show(check_workspace(Workspace(place), frames))
    else:
        _show(check_video(place, side, frames))
