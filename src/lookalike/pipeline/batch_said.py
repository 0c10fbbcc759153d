"""What a job's command says: its log, how far it is, why it ended, and whether that may pass."""

import json
from pathlib import Path
from typing import IO, Final

from lookalike.files import storage_errors
from lookalike.pipeline.processes import LONGEST_LINE, MOST_LINES, why_ended

_PASSING: Final = (
    "out of memory",
    "no space left",
    "another lookalike",
    "no worker",
    "put that right and run the same command again",
)
"""What errors say that may be gone a while later: of memory, of a disk, of a killed run that still saves, of nodes."""


class Heard:
    """What one attempt said."""

    def __init__(self, log: Path) -> None:
        """Go on with a log.

        Raises:
            StorageError: it cannot be written.
        """
        with storage_errors(log):
            log.parent.mkdir(parents=True, exist_ok=True)
            self._log: IO[str] = log.open("a", encoding="utf-8", errors="backslashreplace")
        self._lines: list[str] = []
        self.progress = ""
        """How far it is, in words."""

    def take(self, lines: list[str]) -> None:
        """Take in lines as they come: events in JSON, or plain words."""
        plain = [said[:LONGEST_LINE] for line in lines if (said := self._said(line)).strip()]
        self._lines = [*self._lines, *plain][-MOST_LINES:]
        if plain:
            self._log.write("\n".join(plain) + "\n")
            self._log.flush()

    def error(self, code: int) -> str:
        """Why it failed, in a line; empty if it did not."""
        return "" if code == 0 else why_ended(code, self._lines)

    def close(self) -> None:
        """Close the log."""
        self._log.close()

    def _said(self, line: str) -> str:
        try:
            event = json.loads(line)
            if event["event"] != "progress":
                return f"{event['step']}: {event['text']}"
            of = f"/{float(event['total']):.0f}" if event["total"] else ""
            self.progress = f"{event['step']} {float(event['done']):.0f}{of}"
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
            return line
        return ""


def may_pass(code: int, error: str) -> bool:
    """Whether the same command may do better a while later.

    Not after wrong usage, or an error of ours that says what to do; but after a signal (killed, out of memory), an
    error that nobody foresaw, or one that speaks of memory, room, or nodes that were lost.

    Args:
        code: exit code of the command, negative for a signal.
        error: why it failed, as `why_ended` says it.
    """
    if code == 2:
        return False
    foreseen = code == 1 and not error.startswith("the command ended")
    return not foreseen or any(words in error.lower() for words in _PASSING)
