"""The command `report`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from lookalike.cli.commands import Flat, Folder, _show
from lookalike.cluster.config import ClusterOptions
from lookalike.errors import ConfigError
from lookalike.pipeline.workspace import Workspace


def report(
    workspace: Folder,
    *others: Annotated[
        Path, Parameter(help="Compare: videos that are results of this workspace, or other workspaces.")
    ],
    result: Annotated[Path | None, Parameter(help="The video to measure; the last result by default.")] = None,
    protect: Annotated[
        bool, Parameter(negative="", help="Measure whether the person of dst could be recognised, and fail if so.")
    ] = False,
    looked_at: Annotated[
        str, Parameter(help="With --protect: frames without a face that you looked at, such as 12,20-25.")
    ] = "",
    cluster: Annotated[ClusterOptions | None, Flat] = None,
) -> None:
    """Measure a result against dst: identity, landmarks, pose, expression, seam, flicker, and the worst frames.

    With further videos or workspaces, results are compared.
    """
    place = Workspace(workspace)
    if others and result is not None:
        raise ConfigError("--result measures one video; to compare, name videos without it")
    if protect:
        from lookalike.pipeline.protect import check_protection, frame_numbers

        if others:
            raise ConfigError("--protect looks at one result; name no others")
        if cluster is not None and cluster.ray is not None:
            raise ConfigError("--protect looks at every frame on this machine; leave out --ray")
        _show(check_protection(place, result, frame_numbers(looked_at)), place)
        return
    if looked_at:
        raise ConfigError("--looked-at goes with --protect")
    if others:
        from lookalike.pipeline.compare import compare

        _show(compare(place, others, cluster=cluster), place)
    else:
        from lookalike.pipeline.report import report as run

        _show(run(place, result=result, cluster=cluster), place)
