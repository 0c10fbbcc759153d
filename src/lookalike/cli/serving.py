"""A page that is served until somebody stops the command."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from lookalike.types import Event  # costs numpy, which help can do without

_LOOK_SECONDS = 0.3


class Server(Protocol):
    """What can be served."""

    @property
    def url(self) -> str:
        """The address with its token."""
        ...

    def start(self) -> None:
        """Begin to serve."""
        ...

    def stop(self) -> None:
        """End the server."""
        ...


def served(server: Server, step: str, said: str) -> "Iterator[Event]":
    """Serve; events that say nothing come in between, so that Ctrl-C is heard.

    Args:
        server: not started yet.
        step: whose events they are.
        said: once the page can be opened, with {url} for its address.
    """
    from lookalike.types import Message, Progress

    server.start()
    try:
        yield Message(step, said.format(url=server.url))
        while True:
            time.sleep(_LOOK_SECONDS)
            yield Progress(step, 0, 0, "")
    finally:
        server.stop()
