"""The command `studio`."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from lookalike.cli.commands import _show
from lookalike.cli.serving import Server, served
from lookalike.errors import ConfigError

if TYPE_CHECKING:
    from lookalike.types import Event  # costs numpy, which help can do without

_PASSWORD = "LOOKALIKE_PASSWORD"
_LONGEST_PASSWORD = 1000


def studio(
    folder: Annotated[Path, Parameter(help="A workspace, or a folder to keep workspaces in.")] = Path(),
    *,
    host: Annotated[
        str, Parameter(help="Address to be reached at; beyond this machine with a password.")
    ] = "127.0.0.1",
    port: Annotated[int, Parameter(help="Where the page is served; 0 for any free port.")] = 0,
    password_file: Annotated[
        Path | None,
        Parameter(help=f"File whose first line is the password to ask for; or the variable {_PASSWORD} has it."),
    ] = None,
    name: Annotated[
        tuple[str, ...], Parameter(negative="", help="Name that this machine is called by in addresses; repeatable.")
    ] = (),
) -> None:
    """Serve the page on which everything can be looked at and done. Ctrl-C ends it; jobs save their state."""
    from lookalike.web.login import is_loopback
    from lookalike.web.studio.app import StudioServer

    server = StudioServer(folder, host, port, password=_password(password_file), names=name)
    _show(_events(server, warn=not is_loopback(host)))


def _events(server: Server, *, warn: bool) -> "Iterator[Event]":
    from lookalike.types import Message

    if warn:
        why = "others on the way can read the password and all pictures, since nothing is encrypted; safer:"
        yield Message("studio", f"{why} leave out --host, and open a tunnel by ssh -L PORT:127.0.0.1:PORT THIS_MACHINE")
    yield from served(server, "studio", "open {url} in a browser; Ctrl-C ends it")


# There is no option --password: a command line stands in the shell's history and in every user's list of processes.
def _password(file: Path | None) -> str | None:
    """The password given; the variable is taken away, so that no job inherits it."""
    given = os.environ.pop(_PASSWORD, None)
    if file is None:
        return given
    try:
        with file.open(encoding="utf-8") as lines:
            return lines.readline(_LONGEST_PASSWORD).rstrip("\r\n")
    except UnicodeError as exc:
        raise ConfigError(f"{file} is no text; write the password into its first line") from exc
    except OSError as exc:
        raise ConfigError(f"{file} cannot be read ({exc.strerror}); name a file with the password in it") from exc
