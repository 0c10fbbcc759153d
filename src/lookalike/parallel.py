"""Doing independent work on several threads while the results keep their order and memory stays bounded."""

import queue
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Thread
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


def ahead(items: Iterator[In], count: int) -> Iterator[In]:
    """The same items, drawn on a thread of their own that is at most `count` items ahead.

    An error of the iterator is raised at its place. When the reader stops early, the iterator is closed on its thread.
    """
    ready: queue.Queue[tuple[In | None, BaseException | None]] = queue.Queue(count)
    stopped = Event()

    def put(item: In | None, error: BaseException | None = None) -> None:
        while not stopped.is_set():
            try:
                ready.put((item, error), timeout=0.1)
                return
            except queue.Full:
                continue

    def draw() -> None:
        try:
            for item in items:
                put(item)
                if stopped.is_set():
                    break
            if isinstance(items, Generator):
                items.close()
            put(None, StopIteration())
        except BaseException as exc:
            put(None, exc)

    thread = Thread(target=draw, daemon=True)
    thread.start()
    try:
        while True:
            item, error = ready.get()
            if isinstance(error, StopIteration):
                return
            if error is not None:
                raise error
            yield item  # type: ignore[misc]
    finally:
        stopped.set()
        thread.join()
