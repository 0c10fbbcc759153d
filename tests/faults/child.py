"""A run of the command in a fork of this process."""

import contextlib
import faulthandler
import json
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from faults import hook
from faults.hook import Hook
from faults.warm import STEPS, run_command

LONGEST_SECONDS: Final = 60.0
"""A run that does nothing to files for longer hangs; nor may all of it take ten times as long."""
_POLL_SECONDS: Final = 0.005


@dataclass(slots=True)
class Ended:
    """How a run ended."""

    code: int
    """Its exit code, or less than zero: the signal that ended it."""
    said: str
    """All that it wrote."""
    step: str
    """In which it ended."""
    struck_step: str
    """In which the fault fell."""
    done: int
    """Operations on files."""
    struck: int
    """Number of the operation at which the fault fell; 0 if it never did."""
    seconds: float
    hung: bool = False
    others: list["Ended"] = field(default_factory=list)
    """Runs that were started beside it."""

    @property
    def last_line(self) -> str:
        """What it said last."""
        lines = [line for line in self.said.splitlines() if line.strip()]
        return lines[-1] if lines else ""


class Child:
    """One run of the command."""

    def __init__(
        self, command: list[str], watched: Hook | None = None, begin: Callable[[], None] | None = None
    ) -> None:
        """Start it; `begin` is called in it before the command."""
        self._text, self._began, self._hung = b"", time.monotonic(), False
        self._watched, self._moved, self._moved_at = watched is not None, hook.where(), self._began
        self._reached, reached = os.pipe()
        self._said, said = os.pipe()
        go, self._go = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                for end in (self._reached, self._go, self._said):
                    os.close(end)
                _be_the_command(command, watched, said, begin, Pause(reached, go))
            finally:
                os._exit(71)
        for end in (reached, go, said):
            os.close(end)

    def wait(self, seconds: float | None = None, at_pause: Callable[["Child"], None] | None = None) -> int | None:
        """Wait until it ends; its wait status, or None if the time is over. A pause is answered by `at_pause`."""
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                while more := os.read(self._said, 1 << 16):
                    self._text += more
                for end in (self._reached, self._go, self._said):
                    os.close(end)
                return status
            if until is not None and time.monotonic() >= until:
                return None
            self._look_for_life()
            ready = select.select([self._reached, self._said], [], [], _POLL_SECONDS)[0]
            if self._said in ready:
                self._text += os.read(self._said, 1 << 16)
            if self._reached in ready and os.read(self._reached, 1):
                if at_pause is not None:
                    at_pause(self)
                with contextlib.suppress(BrokenPipeError):
                    os.write(self._go, b"g")

    def _look_for_life(self) -> None:
        """End a run that hangs; it says where every thread stands."""
        now, moved = time.monotonic(), hook.where()
        if moved != self._moved or not self._watched:
            self._moved, self._moved_at = moved, now
        if not self._hung and (now - self._moved_at > LONGEST_SECONDS or now - self._began > 10 * LONGEST_SECONDS):
            self._hung = True
            os.kill(self.pid, signal.SIGABRT)

    def ended(self, status: int) -> Ended:
        """How it ended."""
        step, done, struck, its_step = hook.where()
        code = os.waitstatus_to_exitcode(status)
        text = self._text.decode(errors="replace")
        return Ended(code, text, STEPS[step], STEPS[its_step], done, struck, time.monotonic() - self._began, self._hung)


@dataclass(frozen=True, slots=True)
class Pause:
    """A child's way to have its parent do something meanwhile."""

    reached: int
    go: int

    def __call__(self) -> None:
        """Wait until the parent is done."""
        os.write(self.reached, b"r")
        os.read(self.go, 1)


pause: Pause | None = None
"""Of the process that is a child."""


def _be_the_command(
    command: list[str], watched: Hook | None, said: int, begin: Callable[[], None] | None, own: Pause
) -> None:
    """In the child: never returns."""
    global pause
    pause = own
    os.dup2(said, 1)
    os.dup2(said, 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w", closefd=False), os.fdopen(2, "w", buffering=1, closefd=False)
    faulthandler.enable()
    if begin is not None:
        begin()
    if watched is not None:
        watched.install()
    else:
        hook.quiet()
    code = run_command(command)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def in_fork(work: Callable[[], Any]) -> Any:
    """What `work` gives, computed in a fork so that this process stays without threads; it must be JSON.

    Raises:
        RuntimeError: it failed.
    """
    inlet, outlet = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            with os.fdopen(outlet, "w") as handle:
                json.dump(work(), handle)
            os._exit(0)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(1)
    os.close(outlet)
    with os.fdopen(inlet) as handle:
        text = handle.read()
    _, status = os.waitpid(pid, 0)
    if status:
        raise RuntimeError("what a swap left could not be looked at")
    return json.loads(text)
