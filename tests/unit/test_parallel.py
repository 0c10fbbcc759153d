"""Work on threads: order, errors, early stops; and the time that parts take."""

import threading
import time
from collections.abc import Iterator

import pytest

from lookalike.parallel import ahead, ordered_map
from lookalike.stopwatch import Stopwatch


def counted(count: int, seen: list[int], fail_at: int | None = None) -> Iterator[int]:
    try:
        for number in range(count):
            if number == fail_at:
                raise ValueError("broken")
            seen.append(number)
            yield number
    finally:
        seen.append(-1)


def test_ahead_gives_the_same_items_and_is_not_far_ahead() -> None:
    seen: list[int] = []
    items = ahead(counted(20, seen), 3)
    assert next(items) == 0
    deadline = time.monotonic() + 5
    while len(seen) < 5 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    assert len(seen) <= 6  # one taken, three waiting, one in hand
    assert list(items) == list(range(1, 20))
    assert seen[-1] == -1


def test_ahead_raises_at_its_place() -> None:
    seen: list[int] = []
    items = ahead(counted(9, seen, fail_at=4), 2)
    assert [next(items) for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(ValueError, match="broken"):
        next(items)


def test_a_reader_that_stops_closes_the_source() -> None:
    seen: list[int] = []
    before = threading.active_count()
    items = ahead(counted(1000, seen), 2)
    next(items)
    items.close()  # type: ignore[attr-defined]
    assert seen[-1] == -1
    assert threading.active_count() == before


def test_stages_chain() -> None:
    squares = ordered_map(lambda n: n * n, ahead(iter(range(50)), 4), 3)
    assert list(ahead(squares, 2)) == [n * n for n in range(50)]


def test_a_stopwatch_adds_up_over_threads_and_items() -> None:
    clock = Stopwatch()

    def slow() -> Iterator[int]:
        for number in range(3):
            time.sleep(0.06)
            yield number

    assert list(clock.each("read", slow())) == [0, 1, 2]

    def work(_: int) -> None:
        with clock.measure("work"):
            time.sleep(0.1)

    list(ordered_map(work, range(4), 4))
    assert set(clock.seconds()) == {"read", "work"}
    assert clock.seconds()["work"] >= 0.4  # four times a tenth, side by side
    assert clock.seconds()["read"] >= 0.1
