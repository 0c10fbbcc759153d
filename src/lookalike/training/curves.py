"""The curves of a training, read from its logs while it writes them. Imports no torch."""

import json
import math
import os
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

_BLOCK: Final = 1 << 20
"""Bytes read at a time."""
Row = Mapping[str, Any]


class Curves:
    """The numbers of a file of JSON lines, read on from where the last look ended.

    The last line is left for the next look while it is a half one; lines that are none of ours are passed over.
    """

    def __init__(self, path: Path) -> None:
        """Nothing is read before `update`; the file need not be there yet."""
        self.generation = 0
        """Rises whenever rows that were handed out are no longer true: the training went back, or began anew."""
        self._path = path
        self._file: tuple[int, int] | None = None
        self._offset = 0
        self._count = 0
        self._columns: dict[str, NDArray[np.float64]] = {"iteration": np.empty(1024)}

    def __len__(self) -> int:
        return self._count

    @property
    def keys(self) -> tuple[str, ...]:
        """Names of the columns seen so far, in the order of their first line; without iteration and time."""
        return tuple(key for key in self._columns if key not in ("iteration", "time"))

    @property
    def iterations(self) -> NDArray[np.int64]:
        """(N,), rising."""
        return self.values("iteration").astype(np.int64)

    def values(self, key: str) -> NDArray[np.float64]:
        """(N,) of a column, NaN where a line has none; a view until the next update."""
        column = self._columns.get(key)
        return np.full(self._count, np.nan) if column is None else column[: self._count]

    def first_after(self, iteration: int) -> int:
        """Index of the first row after an iteration."""
        return int(np.searchsorted(self.values("iteration"), iteration, side="right"))

    def update(self) -> int:
        """Read what was written since; the number of new rows."""
        try:
            with self._path.open("rb") as handle:
                return self._read(handle)
        except OSError:
            self._forget()
            return 0

    def _read(self, handle: BinaryIO) -> int:
        stat = os.fstat(handle.fileno())
        if self._file not in (None, (stat.st_dev, stat.st_ino)) or stat.st_size < self._offset:
            self._forget()
        self._file = (stat.st_dev, stat.st_ino)
        before = self._count
        handle.seek(self._offset)
        while data := handle.read(_BLOCK):
            end = data.rfind(b"\n") + 1
            if not end and len(data) < _BLOCK:
                break
            self._append(_parse(data[:end]))
            self._offset += end or len(data)
            handle.seek(self._offset)
        return max(self._count - before, 0)

    def _append(self, rows: list[dict[str, Any]]) -> None:
        if not rows:
            return
        if any(b["iteration"] <= a["iteration"] for a, b in pairwise(rows)):
            rows = _rising(rows)
        kept = int(np.searchsorted(self.values("iteration"), rows[0]["iteration"]))
        if kept < self._count:
            self._count, self.generation = kept, self.generation + 1
        end = self._count + len(rows)
        for key in {key: None for row in rows for key in row}:
            if key not in self._columns:
                self._columns[key] = np.full(len(self._columns["iteration"]), np.nan)
        for key, column in self._columns.items():
            if end > len(column):
                self._columns[key] = np.concatenate([column, np.full(max(end, 2 * len(column)) - len(column), np.nan)])
            self._columns[key][self._count : end] = _column(rows, key)
        self._count = end

    def _forget(self) -> None:
        if self._count:
            self.generation += 1
        self._file, self._offset, self._count = None, 0, 0


def read_lines(path: Path, after: int = 0) -> list[dict[str, Any]]:
    """Whole lines of a log with an iteration after `after`, as they are; none if there is no file."""
    try:
        data = path.read_bytes()
    except OSError:
        return []
    return [row for row in _parse(data[: data.rfind(b"\n") + 1]) if row["iteration"] > after]


def span_starts(length: int, count: int) -> NDArray[np.int64]:
    """(M,) index of the first of each of at most `count` spans of neighbours, as equal as can be."""
    spans = min(length, count)
    return np.arange(spans, dtype=np.int64) * length // max(spans, 1)


def thin(values: NDArray[np.floating], count: int) -> NDArray[np.float64]:
    """(M, 3) lowest, highest and mean value of at most `count` spans of an (N,) curve, where `span_starts` says.

    NaN and infinite values are left out; a span that has no others is NaN.
    """
    if not len(values) or count < 1:
        return np.empty((0, 3))
    known = np.isfinite(values)
    finite = np.where(known, values, np.nan).astype(np.float64)
    starts = span_starts(len(values), count)
    amount = np.add.reduceat(known.astype(np.int64), starts)
    total = np.add.reduceat(np.where(known, finite, 0), starts)
    mean = np.divide(total, amount, out=np.full(len(starts), np.nan), where=amount > 0)
    return np.stack([np.fmin.reduceat(finite, starts), np.fmax.reduceat(finite, starts), mean], 1)


def number(value: object) -> float:
    """NaN for what is no finite number."""
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if good else math.nan  # type: ignore[arg-type]


def _column(rows: Sequence[Row], key: str) -> NDArray[np.float64]:
    values = [row.get(key) for row in rows]
    try:
        column = np.array(values, np.float64)  # None becomes NaN; a third of the time that looking at each takes
    except (ValueError, TypeError, OverflowError):
        column = np.empty(0)
    return column if column.shape == (len(rows),) else np.array([number(value) for value in values])


def _parse(data: bytes) -> list[dict[str, Any]]:
    """The rows of whole lines; lines that are no JSON object with an iteration are passed over."""
    lines = data.splitlines()
    try:
        rows = json.loads(b"[" + b",".join(lines) + b"]")  # one call for all takes half the time
    except (ValueError, RecursionError):
        rows = [_one(line) for line in lines]
    return [row for row in rows if isinstance(row, dict) and _is_iteration(row.get("iteration"))]


def _rising(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what a training did before it went back."""
    kept: list[dict[str, Any]] = []
    for row in rows:
        while kept and kept[-1]["iteration"] >= row["iteration"]:
            kept.pop()
        kept.append(row)
    return kept


def _one(line: bytes) -> object:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _is_iteration(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 53
