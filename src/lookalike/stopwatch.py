"""How long the parts of a job took, when they run side by side."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar

Item = TypeVar("Item")


class Stopwatch:
    """Seconds by name, added up over threads; with overlap they add up to more than the job took."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._lock = Lock()

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Add the time of the block."""
        began = time.perf_counter()
        try:
            yield
        finally:
            passed = time.perf_counter() - began
            with self._lock:
                self._seconds[name] = self._seconds.get(name, 0.0) + passed

    def each(self, name: str, items: Iterator[Item]) -> Iterator[Item]:
        """The items, the time that each takes to come added."""
        while True:
            with self.measure(name):
                try:
                    item = next(items)
                except StopIteration:
                    return
            yield item

    def add(self, seconds: Mapping[str, float]) -> None:
        """Add what another process measured."""
        with self._lock:
            for name, value in seconds.items():
                self._seconds[name] = self._seconds.get(name, 0.0) + value

    def seconds(self) -> dict[str, float]:
        """Seconds so far, in tenths."""
        with self._lock:
            return {name: round(value, 1) for name, value in self._seconds.items()}
