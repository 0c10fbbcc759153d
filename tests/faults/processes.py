"""Faults of processes: killed, stopped, doubled; and clocks that jump."""

import os
import signal
import time
from pathlib import Path
from random import Random
from typing import Any

from faults.child import Child, Ended
from faults.fault import DONE, INTERRUPTED, REFUSED, Fault, Scene, trouble_with
from faults.hook import Hook, Operation


class KillAtOperation(Fault):
    """SIGKILL just before something is done to a file."""

    kind = "kill -9 at a file operation"
    codes = frozenset({-signal.SIGKILL, DONE})

    def strike(self, hook: Hook, operation: Operation) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class KillAtMoment(Fault):
    """SIGKILL at any time, so within native writers too."""

    kind = "kill -9 at a moment"
    lasts = True
    codes = frozenset({-signal.SIGKILL, DONE})

    def timer(self) -> float:
        return self.rng.uniform(0.0, self.scene.seconds)

    def ring(self, child: Child) -> None:
        os.kill(child.pid, signal.SIGKILL)

    def strike(self, hook: Hook, operation: Operation) -> None:
        """Nothing: its time has not to do with files."""

    def fell(self, ended: Ended) -> bool:
        return ended.code == -signal.SIGKILL


class _Asked(Fault):
    number: signal.Signals
    times = 1
    codes = frozenset({DONE, INTERRUPTED})

    def strike(self, hook: Hook, operation: Operation) -> None:
        for _ in range(self.times):
            os.kill(os.getpid(), self.number)


class Terminated(_Asked):
    """SIGTERM, as at the shutdown of a machine."""

    kind = "SIGTERM"
    number = signal.SIGTERM


class Interrupted(_Asked):
    """Ctrl-C."""

    kind = "SIGINT"
    number = signal.SIGINT


class InterruptedTwice(_Asked):
    """Ctrl-C by somebody in a hurry."""

    kind = "SIGINT twice"
    number = signal.SIGINT
    times = 2


class Stopped(Fault):
    """Ctrl-Z and fg, or a laptop that was closed."""

    kind = "SIGSTOP and SIGCONT"
    codes = frozenset({DONE})

    def meanwhile(self, child: Child) -> None:
        os.kill(child.pid, signal.SIGSTOP)
        time.sleep(self.rng.uniform(0.0, 0.1))
        os.kill(child.pid, signal.SIGCONT)


class Second(Fault):
    """The same command once more at the same time."""

    kind = "two processes"

    def __init__(self, scene: Scene, rng: Random, at: int) -> None:
        super().__init__(scene, rng, at)
        self._other: Child | None = None
        self._status: int | None = None

    def meanwhile(self, child: Child) -> None:
        """Start it; the first goes on after a while, or when the second has ended."""
        self._other = Child(self.scene.command)
        self._status = self._other.wait(self.rng.choice((0.0, 0.1, 0.3, 60.0)))

    def trouble(self, ended: Ended) -> str | None:
        """One of the two does the work; the other is told so, or comes late."""
        if self._other is not None:
            status = self._status if self._status is not None else self._other.wait()
            assert status is not None
            ended.others.append(self._other.ended(status))
        both = [ended, *ended.others]
        for one in both:
            found = trouble_with(one, self.codes)
            if found is not None:
                return found
            if one.code == REFUSED and "is at work in" not in one.last_line:
                return "refused for another reason than the other process"
        return None if any(one.code == DONE for one in both) else "each of the two refused because of the other"


class ClockJumps(Fault):
    """The clock is set by years, forward or back, and files written from then on have such times."""

    kind = "clock jumps"
    codes = frozenset({DONE})

    def __init__(self, scene: Scene, rng: Random, at: int) -> None:
        super().__init__(scene, rng, at)
        self._shift = rng.choice((-1, 1)) * rng.uniform(3600.0, 10 * 365.25 * 86400)
        self.hit = f"by {self._shift / 86400:.0f} days"

    def strike(self, hook: Hook, operation: Operation) -> None:
        real, replace, rename, utime = time.time, os.replace, os.rename, os.utime

        def stamped(move: Any) -> Any:
            def moved(origin: Any, target: Any, **options: Any) -> None:
                move(origin, target, **options)
                if Path(target).is_file() and Path(target).suffix != ".mp4":  # whose time is noted before it is renamed
                    utime(target, (real() + self._shift,) * 2)

            return moved

        def touched(path: Any, times: Any = None, **options: Any) -> None:
            utime(path, (real() + self._shift,) * 2 if times is None and not options else times, **options)

        time.time = lambda: real() + self._shift
        os.replace, os.rename, os.utime = stamped(replace), stamped(rename), touched
