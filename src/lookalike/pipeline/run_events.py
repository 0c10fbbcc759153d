"""The events of a step drawn to their end, with a line about them where a person looks on."""

import sys
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any, Final, Literal, TextIO, TypeVar, overload

from lookalike.options import shown
from lookalike.types import Event, Message

Show = Literal["auto", "line", "nothing"] | Callable[[Event], object]
"""Who is told of events: `auto` shows them in a notebook and nowhere else; `line` also on a terminal; or a function."""

_LEAST_SECONDS: Final = 0.2
"""Between two looks of the line."""
_LONGEST: Final = 300
"""Characters of a line."""


Returned = TypeVar("Returned")


@overload
def run(  # type: ignore[overload-overlap]  # a generator without a value returns None
    events: Generator[Event, None, Returned], show: Show = "auto"
) -> Returned: ...


@overload
def run(events: Iterator[Event], show: Show = "auto") -> None: ...


def run(events: Iterator[Event], show: Show = "auto") -> Any:
    """Draw the events of a step to their end.

    A step does nothing before its first event is drawn. If this is interrupted, the step saves its state, and the same
    call goes on later.

    Args:
        events: of any step.
        show: `auto` shows messages and a line of progress in a notebook and nothing elsewhere, `line` writes them
            wherever it is, `nothing` is silent; a function is given every event.

    Returns:
        What the step returns: the report's figures of `report`, nothing of the others.

    Raises:
        LookalikeError: see the step.
    """
    line = _shower(show)
    try:
        while True:
            event = next(events)
            if line is not None:
                line(event)
    except StopIteration as end:
        return end.value
    finally:
        close = getattr(events, "close", None)
        if close is not None:
            close()
        if isinstance(line, _Line):
            line.end()


def _shower(show: Show) -> Callable[[Event], object] | None:
    if callable(show):
        return show
    notebook = None if show == "nothing" else _notebook()
    if notebook is not None:
        return _Line(notebook)
    return _Line(_Terminal(sys.stderr)) if show == "line" else None


class _Line:
    """Messages, and below them how far the step is; in the end the messages alone, if there are any."""

    def __init__(self, write: Callable[[list[str], str], object]) -> None:
        self._write, self._said, self._now = write, list[str](), ""
        self._due, self._step = 0.0, ""

    def __call__(self, event: Event) -> None:
        if isinstance(event, Message):
            self._said.append(shown(f"{event.step}: {event.text}", _LONGEST))
        else:
            amount = f"{event.done:.0f}/{event.total:.0f}" if event.total else f"{event.done:.0f}"
            self._now = shown(f"{event.step}: {amount} {event.unit}  {event.note}".rstrip(), _LONGEST)
        if isinstance(event, Message) or event.step != self._step or time.monotonic() >= self._due:
            self._write(self._said, self._now)
            self._due, self._step = time.monotonic() + _LEAST_SECONDS, event.step

    def end(self) -> None:
        self._write(self._said, "" if self._said else self._now)


class _Terminal:
    """Each message once; the line is written over where that is possible, and left out elsewhere."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._written = out, 0
        self._before = "\r\x1b[K" if out.isatty() else ""

    def __call__(self, said: list[str], now: str) -> None:
        new = "".join(f"{self._before}{text}\n" for text in said[self._written :])
        self._written = len(said)
        self._out.write(new + (f"{self._before}{now}" if self._before else ""))
        self._out.flush()


def _notebook() -> Callable[[list[str], str], object] | None:
    """What changes the output of the cell that runs; None outside of a notebook."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from IPython.display import display  # there, as a notebook runs

    handle: Any = display(  # type: ignore[no-untyped-call]
        {"text/plain": ""}, raw=True, display_id=True
    )

    def write(said: list[str], now: str) -> None:
        handle.update({"text/plain": "\n".join([*said, *([now] if now else [])])}, raw=True)

    return write
