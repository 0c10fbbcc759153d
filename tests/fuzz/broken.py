"""Readers that do what none must do: they show that it would be noticed."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from fuzz.target import Seed, Target
from lookalike.errors import ConfigError


def _target(name: str, attack: Callable[[bytes, Path], object]) -> Target:
    return Target(
        f"broken: {name}", lambda: [Seed(b"good", lambda inner: inner if inner == b"good" else b"bad")], attack
    )


def _raises(data: bytes, folder: Path) -> None:
    if data != b"good":
        raise KeyError("what nobody expects")


def _tells_much(data: bytes, folder: Path) -> None:
    if data != b"good":
        raise ConfigError("two\nlines")


def _writes_away(data: bytes, folder: Path) -> None:
    if data != b"good":
        (folder.parent.parent / "away").write_bytes(data)


def _starts(data: bytes, folder: Path) -> None:
    if data != b"good":
        subprocess.run(["true"], check=True)


def _dies(data: bytes, folder: Path) -> None:
    if data != b"good":
        os._exit(3)


def _hangs(data: bytes, folder: Path) -> None:
    if data != b"good":
        time.sleep(1000)


def _eats(data: bytes, folder: Path) -> None:
    if data != b"good":
        bytes(1 << 36)


BROKEN: Final = (
    _target("raises", _raises),
    _target("tells much", _tells_much),
    _target("writes away", _writes_away),
    _target("starts", _starts),
    _target("dies", _dies),
    _target("hangs", _hangs),
    _target("eats", _eats),
)
