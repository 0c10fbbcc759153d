"""What a target is: files to begin with, and a reader."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fuzz.mutate import BINARY_TOKENS
from fuzz.values import Change

Attack = Callable[[bytes, Path], object]
"""Given bytes and an empty folder, reads them; what it may raise is a LookalikeError."""


@dataclass(frozen=True)
class Seed:
    """A genuine file."""

    inner: bytes
    """The part that is changed, such as a record."""
    wrap: Callable[[bytes], bytes] = field(default=bytes)
    """Puts that part into a file, with whatever lengths and checksums it needs."""
    change: Change | None = None
    """Changes values in that part, and leaves it well formed; half of the inputs are made so."""


@dataclass(frozen=True)
class Target:
    """A reader."""

    name: str
    seeds: Callable[[], Sequence[Seed]]
    """Made when they are first needed."""
    attack: Attack
    tokens: Sequence[bytes] = BINARY_TOKENS
    share: float = 1.0
    """Of the inputs that others get; slow ones get fewer."""
