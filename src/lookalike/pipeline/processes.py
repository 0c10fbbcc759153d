"""A command in a process of its own: what it says, how it is asked to stop, and that nothing of it stays behind."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import IO, Any, Final

SAVE_SECONDS = 300.0
"""Given to a command that was asked to save its state and stop, before it is asked to stop at once."""
STOP_SECONDS = 20.0
"""Given to a command that was asked to stop at once, before it is killed."""
_DRAIN_SECONDS: Final = 5.0
"""For the rest of what was said, when the command has ended but something that it started has not."""
_CHUNK: Final = 2**16
LONGEST_LINE: Final = 2000
"""Characters of a line that are kept."""
MOST_LINES: Final = 200
"""Of what came at once, and of all that is kept."""
_MOST_BYTES: Final = 4 * LONGEST_LINE
"""Of a line as it comes; what an event says in LONGEST_LINE characters fits."""


class Command:
    """Runs until it ends by itself, or is asked to. Safe in threads."""

    def __init__(
        self,
        words: Sequence[str],
        environment: dict[str, str],
        hear: Callable[[list[str]], None],
        ended: Callable[[int], None],
        program: Sequence[str] | None = None,
    ) -> None:
        """Start it.

        Args:
            words: of the command line after `lookalike`.
            environment: all of its variables.
            hear: told what it says, some lines at a time, by a thread.
            ended: told its exit code, or the negative number of the signal, after the last line.
            program: what runs the command line; this Python and its Lookalike when None.

        Raises:
            OSError: it cannot be started. ValueError: its words cannot be words of a command line.
        """
        self._process = subprocess.Popen(
            [*(program or (sys.executable, "-m", "lookalike")), *words, "--json-lines"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            start_new_session=True,  # Ctrl-C in the terminal is for the studio, which stops its jobs itself
        )
        self._hear, self._ended = hear, ended
        self._lock, self._over, self._asked = threading.Lock(), False, 0
        self._timer: threading.Timer | None = None
        self._reader = threading.Thread(target=self._read, name=f"lines of {self._process.pid}", daemon=True)
        self._waiter = threading.Thread(target=self._wait, name=f"end of {self._process.pid}", daemon=True)
        self._reader.start()
        self._waiter.start()

    @property
    def number(self) -> int:
        """Of the process."""
        return self._process.pid

    def stop(self) -> None:
        """Ask it to save its state and stop; asked once more it stops at once. One that does neither is killed."""
        with self._lock:
            if self._over:
                return
            self._asked += 1
            self._insist_after(SAVE_SECONDS if self._asked == 1 else STOP_SECONDS)
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, signal.SIGINT)

    def kill(self) -> None:
        """End it and all that it started."""
        with self._lock:
            if not self._over:
                self._kill()

    def join(self, seconds: float) -> bool:
        """Wait for its end; whether it has come."""
        self._waiter.join(max(0.0, seconds))
        return not self._waiter.is_alive()

    def _insist_after(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = threading.Timer(seconds, self.stop if self._asked == 1 else self.kill)
        self._timer.daemon = True
        self._timer.start()

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with contextlib.suppress(ValueError):  # closed by _wait
            for lines in _heard(self._process.stdout):
                self._hear(lines)

    def _wait(self) -> None:
        assert self._process.stdout is not None
        if hasattr(os, "waitid"):  # its number, which is that of its group, is not given to others before `wait`
            os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        else:
            self._process.wait()
        self._reader.join(_DRAIN_SECONDS)
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            self._kill()
            code = self._process.wait()
            self._over = True
        self._reader.join(1.0)
        if not self._reader.is_alive():
            self._process.stdout.close()
        self._ended(code)


def why_ended(code: int, lines: Sequence[str]) -> str:
    """Why a command failed, in a line: its own error where it told one.

    Args:
        code: its exit code, or the negative number of a signal.
        lines: what it said, in plain words.
    """
    said = next((line for line in reversed(lines) if line.startswith("error: ")), None)
    if said is not None:
        return said.removeprefix("error: ")
    if code == -9:
        return "the command was killed; if nobody did, there was not enough memory"
    how = f"the command ended by signal {-code}" if code < 0 else f"the command ended with code {code}"
    return f"{how}: {lines[-1]}" if lines else how


def words_of(options: Mapping[str, Any], lone: Collection[str] = ()) -> list[str]:
    """Options as words of a command line.

    Args:
        options: by name; what is None is left out.
        lone: flags that a command knows without a `--no-`, which are off if left out.
    """
    words = []
    for key, value in options.items():
        name = key.replace("_", "-")
        if value is True:
            words.append(f"--{name}")
        elif value is False:
            words += [] if name in lone else [f"--no-{name}"]
        elif value is not None:
            words.append(f"--{name}={value}")
    return words


def _heard(stream: IO[bytes]) -> Iterator[list[str]]:
    """Lines as they come, the last of those that came at once; of a long line its beginning."""
    rest = b""
    while chunk := os.read(stream.fileno(), _CHUNK):
        *whole, rest = (rest + chunk).split(b"\n")
        rest = rest[:_MOST_BYTES]
        if whole:
            yield [_text(line) for line in whole[-MOST_LINES:]]
    if rest:
        yield [_text(rest)]


def _text(line: bytes) -> str:
    """Of a line that was written over several times, the last of it."""
    return line[:_MOST_BYTES].decode("utf-8", "replace").rstrip("\r").rpartition("\r")[2]
