"""Pictures in the terminal, where it can show them."""

import base64
import io
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TextIO

if TYPE_CHECKING:
    from lookalike.types import Event  # costs numpy, which help can do without

PictureKind = Literal["kitty", "iterm"]
"""How a terminal takes pictures. Sixel is left out: it knows 256 colours."""

_CHUNK: Final = 4096
"""Most characters of a picture in one sequence of kitty's protocol."""
_KITTY_TERMS: Final = {"xterm-kitty", "xterm-ghostty"}
_PROGRAMS: Final[dict[str, PictureKind]] = {
    "ghostty": "kitty",
    "kitty": "kitty",
    "iTerm.app": "iterm",
    "WezTerm": "iterm",
    "mintty": "iterm",
}
_MULTIPLEXERS: Final = ("TMUX", "STY")
"""Set within tmux and screen, which swallow such sequences."""


def can_show_pictures(environment: Mapping[str, str] | None = None, out: TextIO | None = None) -> PictureKind | None:
    """How the terminal takes pictures; None if it does not, or if the output is no terminal.

    Args:
        environment: the process's own when None.
        out: standard output when None.
    """
    environment = os.environ if environment is None else environment
    if not (out or sys.stdout).isatty() or any(environment.get(name) for name in _MULTIPLEXERS):
        return None
    if environment.get("KITTY_WINDOW_ID") or environment.get("TERM") in _KITTY_TERMS:
        return "kitty"
    if environment.get("LC_TERMINAL") == "iTerm2":  # also set at the far end of ssh
        return "iterm"
    return _PROGRAMS.get(environment.get("TERM_PROGRAM", ""))


def show_picture(path: Path, out: TextIO, kind: PictureKind, *, columns: int | None = None) -> None:
    """Write the sequences that show an image file, and a line end.

    Args:
        path: any kind of image that Pillow reads.
        out: a terminal.
        kind: as `can_show_pictures` says.
        columns: character cells to be wide; the picture's own size when None.

    Raises:
        OSError: the file is gone or no image.

    Source: kitty's terminal graphics protocol; iTerm2's inline images protocol.
    """
    sequences = _kitty(_png(path), columns) if kind == "kitty" else _iterm(path, columns)
    out.write(f"{sequences}\n")
    out.flush()


def with_pictures(events: "Iterator[Event]", path: Path) -> "Iterator[Event]":
    """The events; in between, the picture at `path` whenever it is a new one and the terminal can show it."""
    kind = can_show_pictures()
    shown = _changed(path)
    for event in events:
        yield event
        if kind is not None and _changed(path) != shown:
            shown = _changed(path)
            with suppress(OSError):
                show_picture(path, sys.stdout, kind)


def _changed(path: Path) -> int:
    """Time stamp of a file; 0 if it is not there."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _kitty(png: bytes, columns: int | None) -> str:
    data = base64.b64encode(png).decode()
    chunks = [data[start : start + _CHUNK] for start in range(0, len(data), _CHUNK)]
    wide = f",c={columns}" if columns else ""
    # q=2: the terminal shall not answer, else its answer stands in the next prompt.
    keys = [f"a=T,f=100,q=2{wide},", *["q=2,"] * (len(chunks) - 1)]
    more = [1] * (len(chunks) - 1) + [0]
    return "".join(f"\x1b_G{key}m={rest};{chunk}\x1b\\" for key, rest, chunk in zip(keys, more, chunks, strict=True))


def _iterm(path: Path, columns: int | None) -> str:
    content = path.read_bytes()
    name = base64.b64encode(path.name.encode()).decode()
    wide = columns or "auto"
    head = f"name={name};size={len(content)};width={wide};preserveAspectRatio=1;inline=1"
    return f"\x1b]1337;File={head}:{base64.b64encode(content).decode()}\x07"


def _png(path: Path) -> bytes:
    """The file as PNG, the one kind of image file that kitty's protocol takes."""
    from PIL import Image  # not at once: help needs none

    with Image.open(path) as image:
        if image.format == "PNG":
            return path.read_bytes()
        made = io.BytesIO()
        image.convert("RGB").save(made, "PNG", compress_level=1)
        return made.getvalue()
