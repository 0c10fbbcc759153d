"""Showing events: a bar on a terminal, plain lines elsewhere, JSON for programs."""

import dataclasses
import json
import logging
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from typing import TextIO

from rich.console import Console
from rich.logging import RichHandler
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from lookalike.cli import stop
from lookalike.cli.text import one_line
from lookalike.types import Event, Message
from lookalike.types import Progress as Step

_PLAIN_SECONDS = 10.0


def show(events: Iterator[Event], json_lines: bool = False) -> None:
    """Consume events and show them on standard output.

    Raises:
        KeyboardInterrupt: a stop was asked for; the work has saved its state.
    """
    with closing(_until_stopped(events)) as shown:  # also when the output is closed; a step then saves its state
        _show(shown, json_lines=json_lines)


def _show(events: Iterator[Event], *, json_lines: bool) -> None:
    console = Console(highlight=False)
    handler = RichHandler(console=Console(stderr=True), show_time=False, show_path=False)
    handler.setFormatter(_OneLine("%(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    if json_lines:
        _json(events, sys.stdout)
    elif console.is_terminal:
        _bars(events, console)
    else:
        _plain(events, sys.stdout)


class _OneLine(logging.Formatter):
    """What a file brought into a warning stays one line without control characters."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the library's name
        return one_line(super().formatMessage(record))


def _until_stopped(events: Iterator[Event]) -> Generator[Event, None, None]:
    try:
        for event in events:
            yield event
            if stop.requested:
                raise KeyboardInterrupt
    finally:
        if isinstance(events, Generator):
            events.close()


def _json(events: Iterator[Event], out: TextIO) -> None:
    for event in events:
        kind = "message" if isinstance(event, Message) else "progress"
        out.write(json.dumps({"event": kind, **dataclasses.asdict(event)}, ensure_ascii=False) + "\n")
        out.flush()


def _plain(events: Iterator[Event], out: TextIO) -> None:
    shown_at, shown_step = 0.0, ""
    for event in events:
        now = time.monotonic()
        if isinstance(event, Message):
            out.write(f"{event.step}: {one_line(event.text)}\n")
        elif not event.unit:
            continue  # says nothing, as while a page is served
        elif event.step != shown_step or now - shown_at >= _PLAIN_SECONDS:
            out.write(f"{event.step}: {_amount(event)}{'  ' if event.note else ''}{one_line(event.note)}\n")
            shown_at, shown_step = now, event.step
        out.flush()


def _bars(events: Iterator[Event], console: Console) -> None:
    columns = (
        TextColumn("{task.description:>12}"),
        BarColumn(),
        TextColumn("{task.fields[amount]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(elapsed_when_finished=False),
        TextColumn("[dim]{task.fields[note]}"),
    )
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, TaskID] = {}
        for event in events:
            if isinstance(event, Message):
                progress.console.print(f"{event.step:>12} {one_line(event.text)}", markup=False)
                continue
            if event.step not in tasks:
                for task in tasks.values():
                    progress.remove_task(task)
                tasks = {event.step: progress.add_task(event.step, total=None, amount="", note="")}
            total = event.total or None
            progress.update(
                tasks[event.step],
                completed=event.done,
                total=total,
                amount=_amount(event),
                note=escape(one_line(event.note)),
            )


def _amount(event: Step) -> str:
    if not event.total:
        return f"{event.done:.0f} {event.unit}"
    return f"{event.done:.0f}/{event.total:.0f} {event.unit}"
