"""The workers of one piece of work: who is given what, and what happens when one dies."""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, Final

from lookalike import __version__
from lookalike.cluster.pool import PoolReport
from lookalike.cluster.ray_worker import Greeting, Outcome, Worker, threads_here
from lookalike.errors import ClusterError
from lookalike.options import shown

UNDER_WAY: Final = 2
"""Tasks that a worker is given at a time, so that it never waits for the next."""
_AHEAD: Final = 4
"""Tasks for each worker that may be drawn beyond the first whose result is still waited for."""
_STRIKES: Final = 3
"""Workers that may die of a task before it is given up."""
_START_SECONDS: Final = 180.0
"""How long there may be no worker at all."""
_LOOK_SECONDS: Final = 1.0


@dataclass(slots=True, eq=False)
class _Hand:
    """A worker as the crew sees it."""

    actor: Any
    hello: Any
    name: str = ""
    """Empty until it has said that it is ready."""
    under_way: deque[tuple[int, Any]] = field(default_factory=deque)
    """Numbers of the tasks that it has, in order, and the references to their outcomes."""


class Crew:
    """Actors that do tasks with one way of opening them."""

    def __init__(self, ray: Any, size: int, gpus: int, opens: Any, report: PoolReport) -> None:
        """Start them; they import what their work needs while others go on.

        Args:
            ray: the library.
            size: workers wanted.
            gpus: graphics cards for each.
            opens: function that opens the work in a worker.
            report: filled as work is done.
        """
        self._ray, self._report = ray, report
        self.opens, self._spec = opens, None
        options = {"num_cpus": 1, "num_gpus": gpus, "max_restarts": 0, "scheduling_strategy": "SPREAD"}
        self._kind = ray.remote(**options)(Worker)
        self._hands: list[_Hand] = []
        self._tasks: dict[int, Any] = {}
        self._again: list[int] = []
        self._strikes: dict[int, int] = {}
        self._failed_starts = 0
        self._finished: dict[int, Outcome] = {}
        self._alive = 0.0
        self._size, self._threads = size, threads_here()
        for _ in range(size):
            self._hire()

    def results(self, spec: Any, tasks: Iterable[Any]) -> Iterator[Any]:
        """See `Pool.ordered`; can be asked once."""
        self._spec, self._alive = self._ray.put(spec), time.monotonic()
        waiting, drawn, out, more = iter(tasks), 0, 0, True
        while True:
            while out in self._finished:
                outcome = self._finished.pop(out)
                del self._tasks[out]
                out += 1
                if outcome.error is not None:
                    raise outcome.error
                yield outcome.value
            while (hand := self._idle()) is not None:
                if not self._again and more and drawn < out + _AHEAD * self._size:
                    try:
                        self._tasks[drawn] = next(waiting)
                    except StopIteration:
                        more = False
                    else:
                        heappush(self._again, drawn)
                        drawn += 1
                if not self._again:
                    break
                self._give(hand, heappop(self._again))
            if not more and out == drawn:
                return
            if out not in self._finished:
                self._look()

    def dismiss(self) -> None:
        """End all workers, and with them what they are doing."""
        for hand in self._hands:
            self._end(hand)
        self._hands.clear()

    def _hire(self) -> None:
        actor = self._kind.remote(self._threads)
        self._hands.append(_Hand(actor, actor.hello.remote()))
        actor.prepare.remote(self.opens.__module__)

    def _end(self, hand: _Hand) -> None:
        with suppress(self._ray.exceptions.RayError, ValueError):
            self._ray.kill(hand.actor)

    def _idle(self) -> _Hand | None:
        """The worker with the fewest tasks, if one can take another."""
        ready = [hand for hand in self._hands if hand.name]
        hand = min(ready, key=lambda one: len(one.under_way), default=None)
        return hand if hand is not None and len(hand.under_way) < UNDER_WAY else None

    def _give(self, hand: _Hand, number: int) -> None:
        hand.under_way.append((number, hand.actor.do.remote(self.opens, self._spec, self._tasks[number])))

    def _look(self) -> None:
        """Wait until something happens, and take note of it."""
        owners = {ref: hand for hand in self._hands for ref in self._awaited(hand)}
        done, _ = self._ray.wait(list(owners), num_returns=1, timeout=_LOOK_SECONDS)
        for ref in done:
            hand = owners[ref]
            if hand in self._hands:
                self._note(hand, ref)
        now = time.monotonic()
        if any(hand.name for hand in self._hands):
            self._alive = now
        elif now - self._alive > _START_SECONDS:
            raise ClusterError(
                f"no worker of the Ray cluster was ready in {_START_SECONDS:.0f} s; see `ray status` for what is free"
            )

    def _awaited(self, hand: _Hand) -> list[Any]:
        return [ref for _, ref in hand.under_way] if hand.name else [hand.hello]

    def _note(self, hand: _Hand, ref: Any) -> None:
        """Take what a reference holds."""
        errors = self._ray.exceptions
        try:
            value = self._ray.get(ref)
        except errors.RayTaskError as exc:  # what it was given cannot be read there, or its result cannot travel
            if not hand.name:
                self._not_started(hand, exc)
                return
            value = Outcome(error=_cause(exc, hand.name))
        except errors.RayError as exc:
            if hand.name:
                self._lost(hand)
            else:
                self._not_started(hand, exc)
            return
        if isinstance(value, Greeting):
            self._welcome(hand, value)
            return
        number = next(number for number, other in hand.under_way if other == ref)
        hand.under_way.remove((number, ref))
        self._strikes.pop(number, None)
        self._finished[number] = value
        self._report.done[hand.name] = self._report.done.get(hand.name, 0) + 1

    def _welcome(self, hand: _Hand, greeting: Greeting) -> None:
        name = f"{greeting.machine}/{greeting.process}"
        if greeting.version != __version__:
            raise ClusterError(
                f"{name} runs Lookalike {greeting.version} and this machine {__version__}; install the same everywhere"
            )
        hand.name = name
        self._failed_starts = 0

    def _lost(self, hand: _Hand) -> None:
        """A worker died: its tasks are for others, and another takes its place as soon as there is room."""
        self._hands.remove(hand)
        self._end(hand)
        self._report.lost += 1
        self._report.again += len(hand.under_way)
        for place, (number, _) in enumerate(hand.under_way):
            heappush(self._again, number)
            if place:
                continue  # it had not begun yet
            self._strikes[number] = self._strikes.get(number, 0) + 1
            if self._strikes[number] >= _STRIKES:
                raise ClusterError(
                    f"{_STRIKES} workers died of {shown(self._tasks[number])}; see Ray's logs, or run without --ray"
                )
        self._hire()

    def _not_started(self, hand: _Hand, exc: Exception) -> None:
        """A worker could not even begin."""
        text = str(exc)
        if "No module named 'lookalike" in text:
            raise ClusterError(
                f"a machine of the cluster lacks Lookalike {__version__}; there: pip install 'lookalike[ray]'"
            ) from exc
        self._hands.remove(hand)
        self._end(hand)
        self._failed_starts += 1
        if self._failed_starts > _STRIKES:
            reason = " ".join(text.split())
            raise ClusterError(f"workers of the Ray cluster cannot be started: {shown(reason, 300)}") from exc
        self._hire()


def _cause(exc: Any, name: str) -> BaseException:
    """What really happened, as far as it can be told."""
    cause = getattr(exc, "cause", None)
    if isinstance(cause, ModuleNotFoundError):
        return ClusterError(f"{name} lacks a module: {cause}; install the same there as here")
    return cause if isinstance(cause, BaseException) else ClusterError(f"{name} failed: {shown(exc, 300)}")
