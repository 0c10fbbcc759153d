"""Routes that say what they take and give, for programs that ask them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.routing import Route

from lookalike.options import Options
from lookalike.web.answers import Statuses


@dataclass(frozen=True, slots=True)
class Words:
    """One word of an address: of its path, or behind the question mark."""

    text: str
    """What it says, for people."""
    kind: Any = str
    """Its type."""
    needed: bool = False
    """Whether a request without it is refused; always so in a path."""


@dataclass(frozen=True, slots=True)
class Files:
    """An answer that is no JSON."""

    media: tuple[str, ...]
    """Media types that it may have."""
    text: str = ""
    """How it is put together, where the media type does not say."""
    events: Any = None
    """Of a stream of events, the type of their data."""


@dataclass(frozen=True, slots=True)
class About:
    """What is told of a route."""

    text: str
    """What it does, in a line."""
    answers: Any
    """The type of its JSON, or Files."""
    sends: type[Options] | Files | None = None
    """What it takes as a body."""
    query: Mapping[str, Words] = field(default_factory=dict)
    path: Mapping[str, Words] = field(default_factory=dict)
    """Words of the path that mean something else here than on other routes."""
    refuses: Statuses = field(default_factory=dict)
    """Of refusals, by what went wrong; 422 for the rest."""
    more: Mapping[int, str] = field(default_factory=dict)
    """Further refusals, told as plain text: their statuses and reasons."""


class DescribedRoute(Route):
    """A route, and what is told of it in `openapi.json`."""

    def __init__(
        self, path: str, endpoint: Callable[..., Any], about: About, *, methods: Sequence[str] | None = None
    ) -> None:
        """As a route; a `POST` unless other methods are named, if something is sent."""
        asked = methods or (["POST"] if about.sends is not None else None)
        super().__init__(path, endpoint, methods=None if asked is None else list(asked))
        self.about = about
