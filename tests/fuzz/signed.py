"""The reader of content credentials, which hands files to a library that is not Python."""

from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from fuzz.mutate import BINARY_TOKENS
from fuzz.target import Seed, Target

_KINDS: Final = ("png", "jpg", "webp", "mp4")
_BESIDE: Final = len(_KINDS)
"""The number of a video whose credentials lie beside it, and are what is changed."""


def _numbered(number: int, data: bytes) -> bytes:
    return bytes([number]) + data


@cache
def _seeds() -> Sequence[Seed]:
    from signed_files import drawn_frames, signed

    with TemporaryDirectory() as place:
        folder = Path(place)
        frames = drawn_frames(folder / "frames", 3)
        made = [signed(kind, folder, frames).read_bytes() for kind in _KINDS]
        mkv = signed("mkv", folder, frames)
        (store,) = (path.read_bytes() for path in folder.glob("result.mkv.*"))
        video = mkv.read_bytes()
    seeds = [Seed(data, partial(_numbered, number)) for number, data in enumerate(made)]
    length = len(video).to_bytes(4, "little")
    return [*seeds, Seed(store, lambda changed: _numbered(_BESIDE, length + video + changed))]


def _verify(data: bytes, folder: Path) -> None:
    from lookalike.pipeline.verify import exit_code, told
    from lookalike.provenance.sidecar import sidecar_of
    from lookalike.provenance.verify import verify

    number = data[0] if data and data[0] <= _BESIDE else 0
    path = folder / f"file.{(*_KINDS, 'mkv')[number]}"
    if number == _BESIDE:
        end = 5 + int.from_bytes(data[1:5], "little")
        path.write_bytes(data[5:end])
        sidecar_of(path).write_bytes(data[end:])
    else:
        path.write_bytes(data[1:])
    verdict = verify(path)
    assert exit_code(verdict) in (0, 1, 3)
    assert all(line.isprintable() for line in told(path, verdict))


SIGNED: Final = (Target("credentials", _seeds, _verify, BINARY_TOKENS, 0.5),)
