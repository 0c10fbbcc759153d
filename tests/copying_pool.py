"""A pool in this process whose tasks and results are pickled on the way, drawn ahead as a cluster's are."""

import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pytest

from lookalike.cluster.config import ClusterOptions
from lookalike.cluster.pool import Alone, Pool, PoolReport, Result, Spec, Task

CLUSTER = ClusterOptions(ray="copying")


class Copying(Alone):
    """Nothing reaches a worker, or comes back, that could not travel."""

    def __init__(self, under_way: int = 4, results: int | None = None) -> None:
        """`under_way` tasks are drawn before the first result is given; after `results` of them the owner is killed."""
        self._under_way, self._results = under_way, results
        self.tasks: list[Any] = []

    @property
    def report(self) -> PoolReport | None:
        """See Pool."""
        return PoolReport(done={"copy": len(self.tasks)})

    def ordered(
        self, open_worker: Callable[[Spec], Callable[[Task], Result]], spec: Spec, tasks: Iterable[Task]
    ) -> Iterator[Result]:
        """See Pool."""
        work = open_worker(_copied(spec))
        waiting: deque[Task] = deque()
        given, more, drawn = 0, True, iter(tasks)
        while True:
            while more and len(waiting) < self._under_way:
                try:
                    waiting.append(next(drawn))
                except StopIteration:
                    more = False
            if not waiting:
                return
            if given == self._results:
                raise KeyboardInterrupt
            given += 1
            task = waiting.popleft()
            self.tasks.append(task)
            yield _copied(work(_copied(task)))


def use(patch: pytest.MonkeyPatch, pool: Pool, *modules: ModuleType) -> None:
    """Have the pool in the place of a cluster's."""

    @contextmanager
    def opened(_: ClusterOptions, **_how: Any) -> Iterator[Pool]:
        yield pool

    for module in modules:
        patch.setattr(module, "open_pool", opened)


def _copied(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))
