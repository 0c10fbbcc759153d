"""Changing values and not their bytes: what comes out can be parsed, and is odd inside."""

import copy
import json
import math
import pickle
import random
import tomllib
import warnings
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import tomli_w

Change = Callable[[bytes, random.Random], bytes]
"""Given the bytes of genuine values, gives those of odd ones."""

_ODD: Final[tuple[Any, ...]] = (
    *(None, True, False, 0, 1, -1, 2, 3, 68, 255, 256, 10**5, 10**8, 2**31, 2**53 + 1, 2**63, -(2**63), 10**30),
    *(10**200, 0.0, -0.0, 0.5, 1e-320, 1e16, 1e308, -1e308, math.nan, math.inf, -math.inf),
    *("", "a", "..", "../x", "/etc/passwd", "C:\\x", "a" * 300, "a" * 70_000, "\0", "\n", "\x1b[2J", "\u202e"),
    *("\ud800", "é", "NaN", "1", "0/0", "1/0", "9999999999/1", "off", "full", "head", "avatar", "whole_face", "dfl2"),
    *("AAAA", "====", "=" * 99, b"", b"\0" * 99, (1, 2), (), {1, 2}),
    *(
        [],
        {},
        [[]],
        [None],
        [1, 2],
        [math.nan] * 2,
        [[0, 0]] * 68,
        [[1, 2]] * 68,
        [0] * 5000,
        {"a": {}},
        {"format": 999},
    ),
)
_DEEP: Final = 60


def changed_json(data: bytes, rng: random.Random) -> bytes:
    """JSON with one to three odd values."""
    value = _changed(json.loads(data), rng)
    return json.dumps(value, default=str, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")


def changed_toml(data: bytes, rng: random.Random) -> bytes:
    """TOML with one to three odd values."""
    value = _changed(tomllib.loads(data.decode()), rng)
    try:
        return tomli_w.dumps(value).encode("utf-8", "surrogatepass")
    except (TypeError, AttributeError, ValueError, RecursionError):
        return b"a = " + repr(value).encode("utf-8", "replace")


def changed_pickle(data: bytes, rng: random.Random) -> bytes:
    """A pickle of our own making, with one to three odd values."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy's, of numbers that do not fit another type
        value = _changed(pickle.loads(data), rng)
    return pickle.dumps(value, rng.choice((2, 3, 4, 5)))


def changed_literal(data: bytes, rng: random.Random) -> bytes:
    """Python's spelling of a value, with one to three odd values."""
    import ast

    return repr(_changed(ast.literal_eval(data.decode()), rng)).encode("utf-8", "replace")


def _changed(value: Any, rng: random.Random) -> Any:
    holder = [copy.deepcopy(value)]
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        _change_one(holder, rng)
    return holder[0] if holder else None


def _change_one(holder: list[Any], rng: random.Random) -> None:
    """Go down a random way, and change what is at its end."""
    inside: Any = holder
    for _ in range(20):
        keys = list(inside) if isinstance(inside, dict) else list(range(len(inside)))
        if not keys:
            return
        key = rng.choice(keys)
        below = inside[key]
        if isinstance(below, tuple):
            below = inside[key] = list(below)
        if not isinstance(below, list | dict) or not below or rng.random() < 0.15:
            break
        inside = below
    _alter(inside, key, rng)


def _alter(inside: Any, key: Any, rng: random.Random) -> None:
    value = inside[key]
    draw = rng.random()
    if isinstance(value, np.ndarray) and draw < 0.8:
        inside[key] = _array(value, rng)
    elif draw < 0.55:
        inside[key] = copy.deepcopy(rng.choice(_ODD))
    elif draw < 0.65:
        del inside[key]
    elif draw < 0.75 and isinstance(inside, list):
        inside.extend(copy.deepcopy(value) for _ in range(rng.choice((1, 2, 70, 300))))
    elif draw < 0.80 and isinstance(inside, dict):
        inside[rng.choice(("a", "", "format", "x" * 300, "é"))] = value
    elif draw < 0.90 and isinstance(value, int | float) and not isinstance(value, bool):
        inside[key] = _number(value, rng)
    elif draw < 0.95:
        for _ in range(rng.choice((1, 3, _DEEP))):
            value = [value]
        inside[key] = value
    else:
        inside[key] = str(value)


def _number(value: float, rng: random.Random) -> Any:
    try:
        factor = rng.choice((-1, 0, 2, 10, 1000, 1e6, 1e-9))
        return type(value)(value * factor) + rng.choice((0, 0, 1, -1))
    except (OverflowError, ValueError):
        return 0


def _array(value: np.ndarray[Any, Any], rng: random.Random) -> Any:
    draw = rng.randrange(6)
    if draw == 0:
        return value.astype(rng.choice(("u1", "i8", "f2", ">f4", "f8", "b1", "c8", "U3", "M8[s]")))
    if draw == 1:
        return value.reshape(-1)
    if draw == 2:
        return value[:0]
    if draw == 3:
        return np.asfortranarray(np.full_like(value, rng.choice((0, 1, 200)), shape=(*value.shape, 2)))
    if draw == 4:
        return value.astype("f8") * math.nan
    return value.astype(object)
