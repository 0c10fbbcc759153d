"""What the processes of a training on a cluster and the one that started it tell each other. An actor of Ray."""

import asyncio
from contextlib import suppress
from typing import Final

from lookalike.errors import ClusterError, LookalikeError
from lookalike.types import Event, Message, Progress

_FRUITLESS: Final = 5
"""Times in a row that all begin again without getting further, after which it is given up."""


class Line:
    """Events and errors go to the starter; that the work shall stop goes to the leading worker."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._heard, self._stop = asyncio.Event(), asyncio.Event()
        self._error: LookalikeError | None = None
        self._trouble = ""
        self._begun = self._fruitless = 0
        self._furthest = -1.0

    async def begin(self) -> bool:
        """The leading worker begins, once more if one was lost; false if there is nothing left to do."""
        self._begun += 1
        if self._error is not None or self._stop.is_set():
            return False
        if self._begun > 1:
            self._fruitless += 1
            if self._fruitless >= _FRUITLESS:
                why = f" ({self._trouble})" if self._trouble else ""
                await self.fail(ClusterError(f"workers were lost {self._fruitless} times at the same place{why}"))
                return False
            await self.say(Message("train", "a worker was lost; all go on from the last checkpoint"))
        return True

    async def say(self, event: Event) -> None:
        """An event of the leading worker."""
        if isinstance(event, Progress) and event.unit in ("iterations", "s") and event.done > self._furthest:
            self._furthest, self._fruitless = event.done, 0
        self._events.append(event)
        self._heard.set()

    async def fail(self, error: LookalikeError) -> None:
        """An error that a person can act on; nobody begins again after it."""
        self._error = self._error or error
        self._heard.set()

    async def grumble(self, trouble: str) -> None:
        """Another error, of which Ray Train starts all workers again."""
        self._trouble = trouble

    async def news(self, seconds: float) -> tuple[list[Event], LookalikeError | None, int]:
        """Events since the last call, the error, and how often the work was begun; waits for one of them.

        Args:
            seconds: longest time to wait.
        """
        with suppress(TimeoutError):
            await asyncio.wait_for(self._heard.wait(), seconds)
        events, self._events = self._events, []
        self._heard.clear()
        return events, self._error, self._begun

    async def stop(self) -> int:
        """Ask the workers to stop; how often the work was begun."""
        self._stop.set()
        return self._begun

    async def stopped(self) -> None:
        """Returns when that was asked."""
        await self._stop.wait()
