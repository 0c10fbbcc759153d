"""Values written as Python writes them in source: what faceswap keeps in its PNGs. Nothing is compiled or run."""

import re
from typing import Final

from lookalike.errors import ForeignFileError
from lookalike.interchange.refusals import damaged, too_large

_TOKEN: Final = re.compile(
    r"""[ \t\r\n]*(?:
    (?P<sign>[\[\](){},:])
    | (?P<word>None|True|False|nan|inf|-inf)\b
    | (?P<number>[+-]?(?:\d{1,40}\.?\d{0,40}|\.\d{1,40})(?:[eE][+-]?\d{1,4})?)(?![\w.])
    | (?P<bytes>b)?(?P<text>'(?:[^'\\\n]++|\\.)*+'|"(?:[^"\\\n]++|\\.)*+")
    )""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_PLAIN: Final = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_WORDS: Final = {"None": None, "True": True, "False": False}
_CLOSING: Final = {"]": "[", ")": "(", "}": "{"}
_DEPTH: Final = 40


def read_literal(source: str, origin: str, most: int) -> object:
    """The value of None, True, False, numbers, texts, bytes, lists, tuples and dicts.

    Args:
        source: as Python's `repr` writes it.
        origin: names the file in errors.
        most: the longest source that is read, in letters.

    Raises:
        ForeignFileError: longer, nested deeper than 40, or anything else than such values.
    """
    if len(source) > most:
        raise too_large(origin, f"a text of {len(source)} letters")
    try:
        return _Reader(source, origin).read()
    except (ValueError, TypeError, OverflowError) as exc:
        raise damaged(origin, f"its text is no plain value: {exc}") from exc


class _Reader:
    """Reads one source from left to right; `open` holds what is begun and not yet ended."""

    def __init__(self, source: str, origin: str) -> None:
        self._source, self._origin = source, origin
        self._opened: list[tuple[str, list[object]]] = [("", [])]
        self._wants_value = True

    def read(self) -> object:
        """The value.

        Raises:
            ValueError: there is none.
        """
        at, end = 0, len(self._source.rstrip(" \t\r\n"))
        while at < end:
            found = _TOKEN.match(self._source, at)
            if found is None:
                raise self._damaged(at)
            at = found.end()
            if found["sign"]:
                self._take_sign(found["sign"], at)
            else:
                self._put(_atom(found), at)
        kind, values = self._opened[-1]
        if kind or len(values) != 1:
            raise self._damaged(end)
        return values[0]

    def _take_sign(self, sign: str, at: int) -> None:
        kind, values = self._opened[-1]
        if sign in "[({":
            if not self._wants_value or len(self._opened) > _DEPTH:
                raise self._damaged(at)
            self._opened.append((sign, []))
        elif sign in _CLOSING:
            if kind != _CLOSING[sign]:
                raise self._damaged(at)
            alone = sign == ")" and len(values) == 1 and not self._wants_value
            self._opened.pop()
            self._wants_value = True
            self._put(values[0] if alone else _closed(sign, values), at)
        else:
            colon = kind == "{" and len(values) % 2 == 1
            if self._wants_value or not kind or (sign == ":") != colon:
                raise self._damaged(at)
            self._wants_value = True

    def _put(self, value: object, at: int) -> None:
        if not self._wants_value:
            raise self._damaged(at)
        self._opened[-1][1].append(value)
        self._wants_value = False

    def _damaged(self, at: int) -> ForeignFileError:
        return damaged(self._origin, f"its text is no plain value at letter {at}")


def _atom(found: re.Match[str]) -> object:
    if found["word"]:
        word = found["word"]
        return _WORDS[word] if word in _WORDS else float(word)
    if found["number"]:
        number = found["number"]
        return float(number) if re.search("[.eE]", number) else int(number)
    value = _ESCAPE.sub(_letter, found["text"][1:-1])
    return value.encode("latin-1") if found["bytes"] else value


def _closed(sign: str, values: list[object]) -> object:
    if sign == "]":
        return values
    if sign == ")":
        return tuple(values)
    names, held = values[::2], values[1::2]
    if len(names) != len(held) or not all(isinstance(name, str | int | float) for name in names):
        raise ValueError("a dict whose names are neither text nor number")
    return dict(zip(names, held, strict=True))


def _letter(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    if code is None:
        return "" if found[4] == "\n" else _PLAIN.get(found[4], found[4])
    number = int(code, 16)
    return chr(number) if number < 0xD800 or 0xDFFF < number < 0x110000 else "\N{REPLACEMENT CHARACTER}"
