"""`merge.toml` in the hands of a page: changed in small steps, each written at once and each to be undone."""

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from lookalike.errors import ConfigError
from lookalike.files import write_json
from lookalike.merging.config import MergeConfig
from lookalike.pipeline.merge_settings import NAME, MergeFile, read_merge_file, settings_of, write_merge_file
from lookalike.pipeline.workspace import Workspace, fingerprint

_HISTORY: Final = "merge_history.json"
_FORMAT: Final = 1
_MOST: Final = 100
"""States that are kept."""


class ChangedError(ConfigError):
    """Another program has changed the file since it was read."""


@dataclass(frozen=True, slots=True)
class MergeState:
    """What `merge.toml` says now."""

    content: MergeFile
    revision: str
    """Changes with the content."""
    can_undo: bool
    can_redo: bool


class MergeEdits:
    """The file of one workspace, and its states before and after. Any number of threads may ask.

    The states lie in `.studio/merge_history.json`. What another program does to the file is a state, too.
    """

    def __init__(self, workspace: Workspace) -> None:
        """Nothing is read yet."""
        self._file = workspace.folder / NAME
        self._history = workspace.folder / ".studio" / _HISTORY
        self._lock = threading.Lock()
        self._states: list[MergeFile] = []
        self._place = -1
        """Of what the file says, in the states."""

    def state(self) -> MergeState:
        """What the file says.

        Raises:
            ConfigError: the file cannot be used.
        """
        with self._lock:
            return self._look()

    def change(self, revision: str, by: Callable[[MergeFile], MergeFile]) -> MergeState:
        """Write what a function makes of the content.

        Raises:
            ChangedError: the file is not at that revision. ConfigError: the outcome cannot be used.
            StorageError: the disk is full.
        """
        with self._lock:
            now = self._look()
            _expect(now, revision)
            new = by(now.content)
            settings_of(self._file, new, MergeConfig())
            if new != now.content:
                self._states = [*self._states[: self._place + 1], new][-_MOST:]
                self._place = len(self._states) - 1
                self._write()
            return self._told()

    def go(self, revision: str, steps: int) -> MergeState:
        """Back (-1) or forth (1) in the states, as far as there are any.

        Raises:
            ChangedError: the file is not at that revision. StorageError: the disk is full.
        """
        with self._lock:
            _expect(self._look(), revision)
            place = min(max(self._place + steps, 0), len(self._states) - 1)
            if place != self._place:
                self._place = place
                self._write()
            return self._told()

    def _look(self) -> MergeState:
        """Read the file, and take it for a new state if it is none of ours."""
        content = read_merge_file(self._file)
        settings_of(self._file, content, MergeConfig())
        if self._place < 0:
            self._recall()
        if self._place < 0 or self._states[self._place] != content:
            self._states = [*self._states[: self._place + 1], content][-_MOST:]
            self._place = len(self._states) - 1
        return self._told()

    def _told(self) -> MergeState:
        content = self._states[self._place]
        revision = fingerprint(content.model_dump_json())
        return MergeState(content, revision, self._place > 0, self._place < len(self._states) - 1)

    def _write(self) -> None:
        write_merge_file(self._file, self._states[self._place])
        self._history.parent.mkdir(exist_ok=True)
        states = [state.model_dump(mode="json", exclude_none=True) for state in self._states]
        write_json(self._history, {"format": _FORMAT, "place": self._place, "states": states})

    def _recall(self) -> None:
        """The states of an earlier studio."""
        with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            kept: Any = json.loads(self._history.read_bytes())
            states = [MergeFile.model_validate(state) for state in kept["states"]]
            if kept["format"] == _FORMAT and 0 <= int(kept["place"]) < len(states):
                self._states, self._place = states, int(kept["place"])


def _expect(now: MergeState, revision: str) -> None:
    if now.revision != revision:
        raise ChangedError("merge.toml was changed elsewhere meanwhile; it is shown as it is now")
