"""`lookalike weights`: pretrained networks of others."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from lookalike.types import Event, Message

weights = App(name="weights", help_format="plaintext")
Folder = Annotated[Path | None, Parameter(help="Where weights are kept; in the user's cache if left out.")]
Name = Annotated[str, Parameter(help="As `lookalike weights list` calls it.")]


@weights.command(name="list")
def list_all(*, folder: Folder = None) -> None:
    """Say which networks there are, which of them are here, and under which licences."""
    from lookalike.weights import list_weights

    _show(Message(name, text) for name, text in list_weights(folder))


@weights.command
def get(
    name: Name,
    *,
    url: Annotated[str | None, Parameter(help="Another address of the same file.")] = None,
    folder: Folder = None,
) -> None:
    """Fetch a network; its licence is shown first."""
    from lookalike.weights import fetch_weights

    _show(fetch_weights(name, url, folder))


@weights.command
def add(
    name: Name,
    file: Path,
    *,
    trust: Annotated[bool, Parameter(negative="", help="Take a file that is not the published one.")] = False,
    folder: Folder = None,
) -> None:
    """Take a network from a file that was brought here by other means."""
    from lookalike.weights import add_weights

    _show(add_weights(name, file, folder, trust=trust))


def _show(events: Iterator[Event]) -> None:
    from lookalike.cli.show import show

    show(events, json_lines=os.environ.get("LOOKALIKE_JSON_LINES") == "1")
