"""A faceset as one answer: a header of JSON, then its columns as float32, which a page takes as they are."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lookalike.faceset.index_known import Known
from lookalike.pipeline.gallery_shelf import Seen

_STAMP_RANGE = 1 << 24
"""Whole numbers that float32 holds exactly."""


def pack(seen: Seen, columns: Sequence[str], more: dict[str, Any]) -> bytes:
    """Four bytes of the header's length, the header (padded to four), and (C, N) float32, little-endian.

    The header has `version`, `names`, `columns`, `reading`, `trouble`, `problems` by name, `sources` and `reasons`, and
    what is in `more`. Behind `columns` three more follow: `source` and `reason`, places in these lists (-1: none), and
    `stamp`, which changes with the file. What is not known of a face is not-a-number.
    """
    rows = [seen.rows.get(name) for name in seen.names]
    table = np.full((len(rows), len(columns)), np.nan, np.float32)
    known = [place for place, row in enumerate(rows) if row is not None and row.feature is not None]
    data = b"".join(row.feature for row in rows if row is not None and row.feature is not None)
    table[known] = np.frombuffer(data, np.float32).reshape(-1, len(columns))
    sources, source = _told([row.source if row else None for row in rows])
    reasons, reason = _told([row.reason if row else None for row in rows])
    header = {
        "version": seen.version,
        "names": seen.names,
        "columns": [*columns, "source", "reason", "stamp"],
        "reading": seen.reading,
        "trouble": seen.trouble,
        "problems": {row.name: row.problem for row in rows if row is not None and row.problem},
        "sources": sources,
        "reasons": reasons,
        **more,
    }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 4)
    body = np.concatenate([table.T, [source, reason, _stamps(rows)]]).astype("<f4")
    return len(text).to_bytes(4, "little") + text + body.tobytes()


def joined(pictures: Sequence[bytes]) -> bytes:
    """Files in one answer: how many, the length of each (four bytes, little-endian), then all of them."""
    lengths = np.array([len(pictures), *map(len, pictures)], "<u4")
    return lengths.tobytes() + b"".join(pictures)


def _told(texts: Sequence[str | None]) -> tuple[list[str], NDArray[np.float32]]:
    """Different texts, and (N,) the place of each in them; -1 for none."""
    places: dict[str, int] = {}
    found = [places.setdefault(text, len(places)) if text else -1 for text in texts]
    return list(places), np.array(found, np.float32)


def _stamps(rows: Sequence[Known | None]) -> NDArray[np.float32]:
    stamps = [(row.stamp[1] // 1000 + row.stamp[0]) % _STAMP_RANGE if row else -1 for row in rows]
    return np.array(stamps, np.float32)
