"""Numbers and texts of the oldest pickles, which are written in letters."""

import re
from typing import Final

_INT: Final = re.compile(rb"[+-]?\d{1,77}")
_RAW: Final = re.compile(r"\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})")
_QUOTED: Final = re.compile(r"\\(?:([\\'\"nrt])|x([0-9a-fA-F]{2}))")
_LETTERS: Final = {"n": "\n", "r": "\r", "t": "\t"}


def text_number(line: bytes) -> int | bool:
    """A whole number of at most 77 digits, or a truth value, which is written 00 or 01.

    Raises:
        ValueError: neither.
    """
    if line in (b"00", b"01"):
        return line == b"01"
    if not _INT.fullmatch(line):
        raise ValueError("a number that is none")
    return int(line)


def unescaped(line: bytes) -> str:
    r"""Latin-1 with \uXXXX and \UXXXXXXXX; half a character becomes a replacement sign."""
    text = _RAW.sub(lambda found: _letter(int(found[1] or found[2], 16)), line.decode("latin-1"))
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def unescaped_bytes(line: bytes) -> str:
    r"""Latin-1 in quotes, with \\, \', \", \n, \r, \t and \xXX.

    Raises:
        ValueError: no quotes.
    """
    text = line.decode("latin-1")
    if len(text) < 2 or text[0] != text[-1] or text[0] not in "'\"":
        raise ValueError("a text without quotes")
    return _QUOTED.sub(_plain, text[1:-1])


def _letter(number: int) -> str:
    return chr(number) if number < 0x110000 else "\N{REPLACEMENT CHARACTER}"


def _plain(found: re.Match[str]) -> str:
    return chr(int(found[2], 16)) if found[2] else _LETTERS.get(found[1], found[1])
