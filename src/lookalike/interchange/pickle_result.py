"""The last look at what a pickle made: only plain values are left, and sharing makes none of them explode."""

from typing import Final

import numpy as np

from lookalike.interchange.pickle_arrays import ArrayShape, PendingArray, Slice
from lookalike.interchange.pickle_runs import Chunk, joined, spread

_LEAVES: Final = {type(None): 1, bool: 1, int: 4, float: 3}
_BYTES_A_UNIT: Final = 8


class Finisher:
    """Puts finished arrays and bytes in the place of what stood for them."""

    def __init__(self, shared: set[int], depth: int, room: int) -> None:
        """A look at one pickle.

        Args:
            shared: identities of the objects that more than one other may hold.
            depth: how deep values may nest.
            room: bytes that the values may take when nothing is shared any more.
        """
        self._shared, self._depth, self._room = shared, depth, room // _BYTES_A_UNIT
        self._unread = room
        self._done: dict[int, tuple[object, int, object]] = {}
        self._under_way: set[int] = set()

    def finish(self, value: object) -> object:
        """The value without marks.

        Raises:
            ValueError: it holds itself, nests too deep, grows too large, or holds what is no value.
        """
        return self._finish(value, 0)[0]

    def _finish(self, value: object, depth: int) -> tuple[object, int]:
        """The finished value, and what it costs to copy."""
        mark = id(value)
        if mark not in self._shared:
            return self._made(value, depth)
        if mark in self._done:
            return self._done[mark][:2]
        if mark in self._under_way:
            raise ValueError("a value that holds itself")
        self._under_way.add(mark)
        made = self._made(value, depth)
        self._under_way.discard(mark)
        self._done[mark] = (*made, value)  # the value is kept, so that nothing else gets its identity
        return made

    def _made(self, value: object, depth: int) -> tuple[object, int]:
        if depth > self._depth:
            raise ValueError(f"values more than {self._depth} deep in each other")
        new, cost = value, 1
        if type(value) is list and any(type(item) is Chunk for item in value):
            array = joined(value)
            if array is not None:
                return array, 16 + array.nbytes // _BYTES_A_UNIT
            self._take(sum(item.values.size * 80 for item in value if isinstance(item, Chunk)))
            value[:] = spread(value)
        if type(value) is list:
            for place, item in enumerate(value):
                value[place], more = self._item(item, depth)
                cost += more
        elif type(value) is dict:
            for name, item in value.items():
                value[name], more = self._item(item, depth)
                cost += more + _leaf(name)
        elif type(value) is tuple:
            parts = [self._item(item, depth) for item in value]
            new = tuple(part for part, _ in parts)
            cost += sum(more for _, more in parts)
        elif type(value) is PendingArray:
            if value.value is None:
                raise ValueError("an array that was never filled")
            new = value.value
            cost = new.bytes if isinstance(new, ArrayShape) else new.nbytes
            cost = 1 if isinstance(new, ArrayShape) else 16 + cost // _BYTES_A_UNIT
        elif type(value) is Slice:
            self._take(value.length)
            new, cost = value.read(), value.length // _BYTES_A_UNIT
        elif type(value) is set:
            cost += sum(map(_leaf, value))
        else:
            cost = _leaf(value)
        if cost > self._room:
            raise ValueError("values that are shared until they grow beyond all bounds")
        return new, cost

    def _take(self, count: int) -> None:
        self._unread -= count
        if self._unread < 0:
            raise ValueError("more bytes than are kept")

    def _item(self, item: object, depth: int) -> tuple[object, int]:
        cheap = _LEAVES.get(type(item))
        return (item, cheap) if cheap is not None else self._finish(item, depth + 1)


def _leaf(value: object) -> int:
    """What a value costs that holds no other."""
    if isinstance(value, str | bytes):
        return 1 + len(value) // _BYTES_A_UNIT
    if value is None or isinstance(value, bool | int | float | np.generic):
        return _LEAVES.get(type(value), 4)
    if isinstance(value, tuple):  # of a key
        return 1 + sum(map(_leaf, value))
    raise ValueError(f"a {type(value).__name__} that is no value")
