"""Doing independent work on several threads while the results keep their order and memory stays bounded."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

In = TypeVar("In")
Out = TypeVar("Out")


def ordered_map(work: Callable[[In], Out], items: Iterable[In], workers: int) -> Iterator[Out]:
    """Results of `work` on each item, in the order of the items; at most two items a worker are under way.

    An error of `work` is raised at its place in the order; work not begun by then is dropped.
    """
    waiting: deque[Future[Out]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(work, item))
                if len(waiting) >= 2 * workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
