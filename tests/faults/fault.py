"""What all kinds of faults have in common."""

import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import ClassVar, Final

from faults import child as own
from faults.child import Child, Ended
from faults.hook import Hook, Operation
from faults.place import Place
from faults.warm import TRACEBACK

DONE, REFUSED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130
_CRASHES: Final = {-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGFPE, -signal.SIGILL}


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a fault falls."""

    place: Place
    command: list[str]
    scratch: Path
    """For what does not belong to the swap."""
    seconds: float
    """That an undisturbed run takes."""
    users: frozenset[str]
    """Names of the user's own files."""


class Fault:
    """One thing that goes wrong during a run. Its numbers come from `rng` alone, so that a seed repeats it."""

    kind: ClassVar[str]
    codes: ClassVar[frozenset[int]] = frozenset({DONE, REFUSED})
    """How the run may end."""
    lasts: ClassVar[bool] = False
    """It does not fall at its operation, but on whatever comes after; where the run ended is then what counts."""

    def __init__(self, scene: Scene, rng: Random, at: int) -> None:
        """`at` is the number of the operation on files at which it falls."""
        self.scene, self.rng, self.at = scene, rng, at
        self.hit: str = ""
        """What it fell on, for people."""
        self.changed: set[str] = set()
        """Names of files that it changed or took away, which are not to be as they were."""

    def before(self) -> None:
        """Done before the run."""

    def begin(self) -> None:
        """Done in the run's process, before the command."""

    def strike(self, hook: Hook, operation: Operation) -> None:
        """Done in the run's process at its operation; on whichever thread does that."""
        assert own.pause is not None
        own.pause()

    def meanwhile(self, child: Child) -> None:
        """Done by the parent while the run waits at its operation."""

    def timer(self) -> float | None:
        """Seconds from the start of the run after which `ring` is called; None for never."""
        return None

    def ring(self, child: Child) -> None:
        """Done by the parent when the time has come."""

    def after(self) -> None:
        """Done after the run, as a user would: make room, give permissions back."""

    def put_back(self) -> bool:
        """Done when the next run refuses to go on: undo what was done to files. Whether there was anything."""
        return False

    def unsettles(self) -> bool:
        """Whether a later run may refuse what was done to files."""
        return bool(self.changed)

    def fell(self, ended: Ended) -> bool:
        """Whether the run came so far."""
        return ended.struck > 0

    def trouble(self, ended: Ended) -> str | None:
        """What is wrong with how the run ended; None if that is as it should be."""
        return trouble_with(ended, self.codes)


def trouble_with(ended: Ended, codes: frozenset[int]) -> str | None:
    """What is wrong with how a run ended; an error must be one line that says what to do."""
    if ended.hung:
        return "hangs"
    if ended.code == TRACEBACK or (ended.code >= 0 and "Traceback (most recent call last)" in ended.said):
        return "traceback"
    if ended.code in _CRASHES and ended.code not in codes:
        return f"crashed with signal {-ended.code}"
    if ended.code not in codes:
        return f"ended with {ended.code}"
    if ended.code in (REFUSED, WRONG_USAGE):
        if not ended.last_line.startswith("error: "):
            return "no line that says what is wrong"
        if ";" not in ended.last_line:
            return "the line does not say what to do"
    return None


Make = Callable[[Scene, Random, int], Fault]
