"""What a pickle is read with: a stack, a memory and a limit. It imports nothing and calls nothing.

Where Python would import a class or function, a mark is put on the stack, if it is one of the few of pickle_names.py;
where Python would call it, pickle_calls.py makes the value.
"""

import struct
from collections.abc import Callable, Sequence
from typing import Final, NoReturn

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ForeignFileError
from lookalike.interchange.file_bytes import Data
from lookalike.interchange.pickle_arrays import ArrayShape, ArrayType, PendingArray, Slice, make_array
from lookalike.interchange.pickle_calls import key, make
from lookalike.interchange.pickle_cursor import TOO_LONG, Cursor
from lookalike.interchange.pickle_limits import Limits
from lookalike.interchange.pickle_names import KNOWN, Name
from lookalike.interchange.pickle_result import Finisher
from lookalike.interchange.pickle_runs import LEAST, LEAST_PAIRS, Chunk, floats, pairs, small_ints
from lookalike.interchange.pickle_text import unescaped, unescaped_bytes
from lookalike.interchange.refusals import damaged, holds_code, too_large

_STOP: Final = ord(".")
_LEFT_LYING: Final = 1 << 16
"""Bytes from which on a byte string is read only when it is needed."""
_LONGEST_INT: Final = 32
"""Bytes of a whole number."""
_MOST_MARKS: Final = 512
_NEWEST: Final = 5
_GONE: Final = object()
"""In the place of what is remembered and was taken into an array."""


class Machine(Cursor):
    """Reads one pickle."""

    def __init__(self, data: Data, origin: str, limits: Limits, *, shapes_only: bool, compact: bool) -> None:
        """Nothing is read yet.

        Args:
            data: the pickle; what follows its end is not looked at.
            origin: names the file in errors.
            limits: what it may cost.
            shapes_only: give an ArrayShape in the place of every array, and leave its numbers in the file.
            compact: give an array in the place of a long list of numbers, or of pairs of numbers.
        """
        super().__init__(data)
        self._origin, self._limits = origin, limits
        self._shapes_only, self._compact = shapes_only, compact
        self._frame_end, self._room = 0, limits.memory
        self._stack: list[object] = []
        self._marks: list[list[object]] = []
        self._memo: list[object] = []
        self._shared: set[int] = set()

    def run(self, ops: Sequence[Callable[[], object]]) -> object:
        """The value that the pickle stands for.

        Args:
            ops: what each opcode does, by its number.

        Raises:
            ForeignFileError: it is damaged, too large, or holds code.
        """
        try:
            return self._run(ops)
        except ForeignFileError:
            raise
        except (IndexError, struct.error) as exc:
            raise damaged(self._origin, "its pickle ends too early, or takes what was never put there") from exc
        except (ValueError, OverflowError, OSError) as exc:
            raise damaged(self._origin, f"its pickle has {exc}") from exc
        except (MemoryError, RecursionError) as exc:
            raise too_large(self._origin, "its pickle does not fit the memory") from exc

    def _run(self, ops: Sequence[Callable[[], object]]) -> object:
        data = self._data
        for _ in range(self._limits.steps):
            code = data[self._at]
            self._at += 1
            if code == _STOP:
                if self._marks or len(self._stack) != 1:
                    raise ValueError("an end in the middle")
                limits = self._limits
                return Finisher(self._shared, limits.depth, limits.memory).finish(self._stack.pop())
            ops[code]()
            if self._room < 0:
                raise too_large(self._origin, f"its pickle takes more than {self._limits.memory >> 20} MiB")
        raise too_large(self._origin, f"its pickle has more than {self._limits.steps} steps")

    def _spend(self, count: int) -> None:
        """Ask for memory before it is taken."""
        self._room -= count
        if self._room < 0:
            raise too_large(self._origin, f"its pickle takes more than {self._limits.memory >> 20} MiB")

    # Values.

    def push(self, value: object, cost: int = 8) -> None:
        """Put a value on the stack, at a cost in bytes."""
        self._room -= cost
        self._stack.append(value)

    def push_text(self, count: int) -> None:
        """A text of so many bytes of UTF-8; what is none becomes a replacement sign."""
        if count > self._limits.text:
            raise ValueError(TOO_LONG)
        self._spend(64 + 4 * min(count, self._size))
        self.push(self.take(count).decode("utf-8", "replace"))

    def push_old_text(self, count: int) -> None:
        """A text of Python 2."""
        if not 0 <= count <= self._limits.text:
            raise ValueError(TOO_LONG)
        self.push(self.take(count).decode("latin-1"), 64 + count)

    def push_bytes(self, count: int) -> None:
        """So many bytes; many are left where they lie."""
        if count < _LEFT_LYING:
            self.push(self.take(count), 48 + count)
        elif self._at + count > self._size:
            raise IndexError
        else:
            self.push(Slice(self._data, self._at, count), 64)
            self._at += count

    def push_line(self) -> None:
        """A text in one line, of protocol 0."""
        line = self.line(self._limits.text)
        self._spend(64 + 5 * len(line))
        self.push(unescaped(line))

    def push_quoted_line(self) -> None:
        """A text of Python 2 in one line, in quotes."""
        line = self.line(self._limits.text)
        self._spend(64 + 2 * len(line))
        self.push(unescaped_bytes(line))

    def push_long(self, count: int) -> None:
        """A whole number of so many bytes, with sign."""
        if count > _LONGEST_INT:
            raise ValueError(TOO_LONG)
        self.push(int.from_bytes(self.take(count), "little", signed=True), 64)

    def push_small_ints(self) -> None:
        """A number below 256, and those that follow."""
        found = small_ints(self._data, self._at - 1)
        if not found:
            self.push(self._data[self._at])
            self._at += 1
            return
        self._at += 2 * len(found) - 1
        if self._is_long(len(found), LEAST):
            self.push(Chunk(np.frombuffer(bytearray(found), np.uint8)), 256 + len(found))
        else:
            self._room -= 8 * len(found)
            self._stack.extend(found)

    def push_floats(self) -> None:
        """A number with a point, and those that follow."""
        found = floats(self._data, self._at - 1)
        if not len(found):
            self.push(struct.unpack(">d", self.take(8))[0], 32)
            return
        self._at += 9 * len(found) - 1
        if self._is_long(len(found), LEAST):
            self.push(Chunk(found), 256 + found.nbytes)
        else:
            self._room -= 32 * len(found)
            self._stack.extend(found.tolist())

    def _is_long(self, count: int, least: int) -> bool:
        """Whether so many values, with which a list ends here, are kept as an array."""
        return self._compact and count >= least and self._data[self._at : self._at + 1] == b"e"

    # Containers.

    def push_list(self) -> None:
        """An empty list, or lists of two numbers that follow each other."""
        found, length = pairs(self._data, self._at - 1, len(self._memo))
        if not length:
            self.push([], 96)
            return
        self._at += length - 1
        if self._is_long(len(found), LEAST_PAIRS):
            self.push(Chunk(found), 256 + found.nbytes + 8 * len(found))
            self._memo.extend([_GONE] * len(found))
        else:
            self._room -= 152 * len(found)
            rows = found.tolist()
            self._stack.extend(rows)
            self._memo.extend(rows)

    def pop(self) -> object:
        """The topmost value."""
        return self._stack.pop()

    def mark(self) -> None:
        """Begin to gather."""
        if len(self._marks) >= _MOST_MARKS:
            raise ValueError(f"values more than {_MOST_MARKS} deep in each other")
        self._room -= 64
        self._marks.append(self._stack)
        self._stack = []

    def gathered(self) -> list[object]:
        """What was put on the stack since the last mark."""
        found, self._stack = self._stack, self._marks.pop()
        self._room -= 16 + 8 * len(found)
        return found

    def drop(self) -> None:
        """Forget the topmost value, or an empty mark."""
        if self._stack:
            self._stack.pop()
        else:
            self.gathered()

    def double(self) -> None:
        """Push the topmost value once more."""
        self._share(self._stack[-1])

    def push_tuple(self, count: int) -> None:
        """Gather so many values."""
        if len(self._stack) < count:
            raise IndexError
        found = tuple(self._stack[-count:])
        del self._stack[-count:]
        self.push(found, 64 + 8 * count)

    def append(self, items: list[object]) -> None:
        """Put values at the end of a list."""
        target = self._stack[-1]
        if type(target) is not list:
            raise ValueError("values for a list that is none")
        self._room -= 16 + 8 * len(items)
        target.extend(items)

    def set_items(self, items: list[object]) -> None:
        """Put names and values into a dict."""
        target = self._stack[-1]
        if type(target) is not dict or len(items) % 2:
            raise ValueError("values for a dict that is none")
        self._room -= 64 * len(items)
        for place in range(0, len(items), 2):
            target[key(items[place])] = items[place + 1]

    def push_dict(self) -> None:
        """A dict of what was gathered."""
        items = self.gathered()
        self.push({}, 96)
        self.set_items(items)

    def add_items(self) -> None:
        """Put values into a set."""
        items, target = self.gathered(), self._stack[-1]
        if type(target) is not set:
            raise ValueError("values for a set that is none")
        self._room -= 64 * len(items)
        target.update(key(item) for item in items)

    def push_set(self) -> None:
        """A set of what was gathered."""
        items = self.gathered()
        self.push({key(item) for item in items}, 256 + 64 * len(items))

    # The memo.

    def keep(self, place: int | None = None) -> None:
        """Remember the topmost value."""
        value = self._stack[-1]
        if place is None or place == len(self._memo):
            self._room -= 16
            self._memo.append(value)
        elif 0 <= place < len(self._memo):
            self._memo[place] = value
        else:
            raise ValueError("a memory with a gap")

    def recall(self, place: int) -> None:
        """Push a remembered value."""
        if not 0 <= place < len(self._memo):
            raise IndexError
        if self._memo[place] is _GONE:
            raise ValueError("a list of two numbers in two places")
        self._share(self._memo[place])

    def _share(self, value: object) -> None:
        if type(value) in (list, dict, tuple, set, PendingArray, Slice):
            if id(value) not in self._shared:
                self._room -= 64
            self._shared.add(id(value))
        self.push(value)

    # Names and calls.

    def push_name(self, module: object, name: object) -> None:
        """The mark of a known class or function; any other is refused at once."""
        known = KNOWN.get((module, name)) if isinstance(module, str) and isinstance(name, str) else None
        if known is None:
            raise holds_code(self._origin, f"{module}.{name}")
        self.push(known)

    def push_named_lines(self) -> None:
        """The mark of what two lines name."""
        module, name = self.line(), self.line()
        self.push_name(module.decode("utf-8", "replace"), name.decode("utf-8", "replace"))

    def push_named(self) -> None:
        """The mark of what two texts on the stack name."""
        name, module = self.pop(), self.pop()
        self.push_name(module, name)

    def call(self, name: object, arguments: object) -> None:
        """What a call stands for."""
        if not isinstance(name, Name):
            raise holds_code(self._origin, f"a call of {type(name).__name__}")
        if type(arguments) is not tuple:
            raise ValueError("a call without arguments")
        try:
            made = make(name, arguments, self._spend, shapes_only=self._shapes_only)
        except ValueError as exc:
            if name is Name.GETATTR:
                raise holds_code(self._origin, "builtins.getattr") from exc
            raise
        self.push(made, 64)

    def call_stacked(self) -> None:
        """A call of what lies on the stack, below its arguments."""
        arguments, name = self.pop(), self.pop()
        self.call(name, arguments)

    def call_with_names(self) -> None:
        """A call with arguments that have names; none may."""
        if self.pop() != {}:
            raise holds_code(self._origin, "a call with named arguments")
        self.call_stacked()

    def call_gathered(self) -> None:
        """A call of the first gathered value with the others."""
        name, *arguments = self.gathered() or [None]
        self.call(name, tuple(arguments))

    def call_named(self) -> None:
        """A call of what two lines name."""
        self.push_named_lines()
        name = self.pop()
        self.call(name, tuple(self.gathered()))

    def build(self) -> None:
        """Give an array or its type what it lacks; anything else would run code of its own."""
        state, target = self.pop(), self._stack[-1]
        if isinstance(target, ArrayType):
            target.take(state)
        elif isinstance(target, PendingArray):
            target.take(state, self._array)
        else:
            raise holds_code(self._origin, f"__setstate__ of {_kind(target)}")

    def _array(self, raw: object, kind: object, shape: object, order: str) -> NDArray[np.generic] | ArrayShape:
        return make_array(raw, kind, shape, order, self._spend, shapes_only=self._shapes_only)

    # Everything else.

    def begin(self) -> None:
        """The protocol's number."""
        number = self.number(1)
        if number > _NEWEST:
            raise ValueError(f"protocol {number}, the newest that is read is {_NEWEST}")

    def frame(self) -> None:
        """A part of the pickle that its writer kept in one piece."""
        length = self.number(8)
        if self._at < self._frame_end or self._at + length > self._size:
            raise ValueError("a frame that reaches beyond its end")
        self._frame_end = self._at + length

    def refuse(self, what: str) -> NoReturn:
        """What leads out of the file."""
        raise holds_code(self._origin, what)

    def unknown(self) -> NoReturn:
        """No opcode."""
        raise ValueError(f"no opcode at byte {self._at - 1}")


def _kind(value: object) -> str:
    return value.value if isinstance(value, Name) else type(value).__name__
