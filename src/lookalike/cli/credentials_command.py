"""The commands `sign` and `verify`."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter


def verify(
    file: Annotated[Path, Parameter(help="A video or an image.")],
    *,
    anchor: Annotated[
        list[Path] | None, Parameter(negative="", help="PEM file of a root that you trust; may be given again.")
    ] = None,
    json: Annotated[bool, Parameter(negative="", help="Print what was found as JSON.")] = False,
) -> int:
    """Say who made a file, when, of what, and whether it was changed since. Asks nothing of the network.

    Exits with 0 if it is as it was signed (valid, trusted), 1 if it was changed (tampered), 3 if there are no
    credentials (removed, absent).
    """
    from lookalike.cli.text import one_line
    from lookalike.pipeline.verify import exit_code, told
    from lookalike.pipeline.verify import verify as run

    verdict = run(file, anchors=anchor or [])
    for line in [verdict.model_dump_json(indent=2)] if json else map(one_line, told(file, verdict)):
        print(line)  # noqa: T201
    return exit_code(verdict)


def sign(
    file: Annotated[Path, Parameter(help="A video or an image made of a result: graded, cut, encoded anew.")],
    *,
    parent: Annotated[Path | None, Parameter(name="--from", help="The result that it was made of, signed.")] = None,
    output: Annotated[
        Path | None, Parameter(name=("--output", "-o"), help="The signed file; signed in place by default.")
    ] = None,
    overwrite: Annotated[bool, Parameter(negative="", help="Write over an output that is there.")] = False,
) -> None:
    """Sign a file that other tools made of a result, so that it says again what it is.

    Without --from the file is itself an unchanged result, which somebody else signs now.
    """
    from lookalike.cli.commands import _show
    from lookalike.pipeline.sign import sign as run

    _show(run(file, output=output, parent=parent, overwrite=overwrite))
