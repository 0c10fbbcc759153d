"""Keeping what is private out of what is told to everybody: folders, and the user's name in them."""

import math
import re
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any, Final

_MOST_TEXT: Final = 200
_MOST_ITEMS: Final = 200
_MOST_DEEP: Final = 6
_MOST_WHOLE: Final = 1 << 53
_HOME: Final = re.compile(r"(?:/home|/Users|[A-Za-z]:[\\/]Users)[\\/][^\\/]+")
_PLACE: Final = re.compile(
    r"(?:\b[A-Za-z]:[\\/]|\\\\|~[\w.-]*[\\/]|\.{1,2}[\\/]|(?<![\w.:/])/(?=\S))(?:[^\\/:*?\"'<>|\n]*[\\/])*"
)
"""The folders of a path anywhere in a text: from a root, a drive, a home or a dot, up to the last name."""
_INSIDE: Final = re.compile(r"(?:[^\\/:*?\"'<>|\n]+[\\/])+(?=[^\\/\s]+\.[A-Za-z]\w{0,4}$)")
"""The folders of a relative path that is a whole text and ends in a file name."""
_NOT_SHOWN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


def public(value: Any) -> Any:
    """A value as JSON knows it, without folders.

    Paths become file names, and so do paths within texts; a number that JSON has not becomes text. Long texts and
    lists are cut.
    """
    return _public(value, 0)


def public_name(value: Any) -> Any:
    """A name without its folder, in one line of at most 200 characters."""
    if isinstance(value, PurePath):
        return one_line(value.name)
    if isinstance(value, str):
        return one_line(re.split(r"[\\/]", value.rstrip("\\/"))[-1])
    return value


def _public(value: Any, deep: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) <= _MOST_WHOLE:
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if isinstance(value, PurePath):
        return one_line(value.name)
    if isinstance(value, Mapping) and deep < _MOST_DEEP:
        few = list(value.items())[:_MOST_ITEMS]
        return {_text(str(key)): _public(item, deep + 1) for key, item in few}
    if isinstance(value, (list, tuple, set, frozenset)) and deep < _MOST_DEEP:
        items = sorted(value, key=str) if isinstance(value, (set, frozenset)) else list(value)
        return [_public(item, deep + 1) for item in items[:_MOST_ITEMS]]
    return _text(str(value))


def _text(text: str) -> str:
    home = str(Path.home())
    if len(home) > 1:
        text = text.replace(home, "~")
    text = _HOME.sub("~", text)
    return one_line(_INSIDE.sub("", _PLACE.sub("", text)))


def one_line(text: str) -> str:
    """At most 200 characters in one line, none of which a terminal obeys."""
    return " ".join(_NOT_SHOWN.sub(" ", text).split())[:_MOST_TEXT].rstrip()
