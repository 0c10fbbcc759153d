"""Changing bytes at random, the same way for the same seed."""

import random
import struct
from collections.abc import Callable, Sequence
from typing import Final

_MOST_BYTES: Final = 1 << 20
_ODD: Final = (
    0,
    1,
    2,
    0x7F,
    0x80,
    0xFF,
    0x100,
    0x7FFF,
    0xFFFF,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**40,
    2**63 - 1,
    2**64 - 1,
)
_NUMBERS: Final = ("<B", "<H", "<I", "<Q", ">H", ">I", ">Q")

TEXT_TOKENS: Final = tuple(
    token.encode()
    for token in (
        *("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1e308", "nan", "inf", "-0.0", "0.1", "5e-324"),
        *(
            "null",
            "true",
            "false",
            '""',
            "[]",
            "{}",
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            '"',
            "'",
            "=",
            "#",
            "\\",
            "\n",
            "\0",
        ),
        *(
            "0",
            "-1",
            "1",
            "2147483648",
            "4294967296",
            "9007199254740993",
            "9223372036854775808",
            "9" * 400,
            "-" + "9" * 60,
        ),
        *(
            "../../x",
            "/etc/passwd",
            "a" * 300,
            "\\u0000",
            "\\ud800",
            "\ud7ff",
            "\u202e",
            "\N{GRINNING FACE}",
            "\x1b[31m",
        ),
        *(
            "[" * 500,
            '{"a":' * 500,
            "[[" * 3000,
            '"format": 999',
            "1970-01-01",
            "12:00:00",
            "__proto__",
            "True",
            "None",
        ),
    )
)
"""What parsers of JSON, TOML and CSV stumble over."""

PICKLE_TOKENS: Final = (
    *(bytes([code]) for code in b"().0123456789"[:6]),
    *(bytes([code]) for code in b"NRabdeos]}tlu()2\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x92\x93\x94\x97\x98"),
    *(b"cos\nsystem\n", b"cbuiltins\ngetattr\n", b"cbuiltins\nset\n", b"cnumpy\nndarray\n", b"cnumpy\ndtype\n"),
    *(b"cnumpy.core.multiarray\n_reconstruct\n", b"cnumpy.core.multiarray\nscalar\n", b"c_codecs\nencode\n"),
    *(b"cnumpy._core.numeric\n_frombuffer\n", b"cfacelib.FaceType\nFaceType\n", b"cpathlib\nPosixPath\n"),
    *(b"\x8c\x02os\x8c\x06system\x93", b"(S'id'\nios\nsystem\n", b"ccollections\nOrderedDict\n)R"),
    *(
        b"K\x00",
        b"J\xff\xff\xff\xff",
        b"\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"G\x7f\xf8\x00\x00\x00\x00\x00\x00",
    ),
    *(
        b"X\xff\xff\xff\x7f",
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\x96\x00\x00\x00\x40\x00\x00\x00\x00",
        b"\x82\x01",
    ),
    *(b"q\x00", b"h\x00", b"h\x01", b"r\xff\xff\x00\x00", b"j\x10\x00\x00\x00", b"p0\n", b"g0\n", b"P1\n", b"Q"),
    *(b"\x95\x10\x00\x00\x00\x00\x00\x00\x00", b"U\x02O8\x89\x88\x87R", b"C\x04abcd", b"\x8c\x01b", b"h\x002" * 50),
)
"""Opcodes of pickles, some with what follows them."""

BINARY_TOKENS: Final = (
    *(
        b"\xff\xd8",
        b"\xff\xef\xff\xff",
        b"\xff\xe1",
        b"\xff\xd9",
        b"\xff\xda",
        b"IHDR",
        b"IDAT",
        b"IEND",
        b"iTXt",
        b"fcWp",
    ),
    *(
        b"\xff\xff\xff\xff",
        bytes(8),
        b"\xff" * 8,
        b"<la:face>",
        b"</la:face>",
        b"lookalike.face\0",
        b"faceswap\0\0\0\0\0",
    ),
    *(b"\x78\x9c", b"jumb", b"jumd", b"c2pa", b"caBX", b"uuid", b"ftyp", b"mdat", b"moov"),
)
"""Marks of picture files and containers."""

Mutator = Callable[[bytearray, random.Random, Sequence[bytes]], None]


def mutated(data: bytes, rng: random.Random, tokens: Sequence[bytes], others: Sequence[bytes]) -> bytes:
    """Bytes with a few changes, most often one to three.

    Args:
        data: what is changed.
        rng: whose draws decide.
        tokens: words that the format knows, to be put in.
        others: other files of the kind, of which parts may be put in.
    """
    found = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5, 16))):
        if others and rng.random() < 0.08:
            _splice(found, rng, others)
        else:
            rng.choice(_MUTATORS)(found, rng, tokens)
    return bytes(found[:_MOST_BYTES])


def _place(data: bytearray, rng: random.Random) -> int:
    """Most often in the first bytes, where formats say what they are."""
    size = len(data) if rng.random() < 0.6 else min(len(data), 256)
    return rng.randrange(size + 1)


def _flip(data: bytearray, rng: random.Random, tokens: Sequence[bytes]) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _set(data: bytearray, rng: random.Random, tokens: Sequence[bytes]) -> None:
    at = _place(data, rng)
    data[at : at + 1] = bytes([rng.randrange(256)])


def _number(data: bytearray, rng: random.Random, tokens: Sequence[bytes]) -> None:
    layout = rng.choice(_NUMBERS)
    size = struct.calcsize(layout)
    at = _place(data, rng)
    data[at : at + size] = struct.pack(layout, rng.choice(_ODD) % 2 ** (8 * size))


def _cut(data: bytearray, rng: random.Random, tokens: Sequence[bytes]) -> None:
    at = _place(data, rng)
    del data[at : at + rng.choice((1, 2, 4, 8, 64, 1024))]


def _end(data: bytearray, rng: random.Random, tokens: Sequence[bytes]) -> None:
    del data[rng.randrange(len(data) + 1) :]


def _again(data: bytearray, rng: random.Random, tokens: Sequence[bytes]) -> None:
    at = _place(data, rng)
    part = bytes(data[at : at + rng.choice((1, 4, 16, 256))]) * rng.choice((1, 1, 2, 50))
    data[at:at] = part


def _token(data: bytearray, rng: random.Random, tokens: Sequence[bytes]) -> None:
    at, token = _place(data, rng), rng.choice(tokens)
    data[at : at + (len(token) if rng.random() < 0.5 else 0)] = token


def _value(data: bytearray, rng: random.Random, tokens: Sequence[bytes]) -> None:
    """Another value in the place of a number, as text has them."""
    digits = [at for at, byte in enumerate(data[:4096]) if 48 <= byte < 58]
    if not digits:
        return _token(data, rng, tokens)
    at = rng.choice(digits)
    end = at
    while end < len(data) and chr(data[end]) in "0123456789.eE+-":
        end += 1
    data[at:end] = rng.choice(tokens)
    return None


def _swap(data: bytearray, rng: random.Random, tokens: Sequence[bytes]) -> None:
    size = rng.choice((1, 4, 32))
    one, other = sorted((_place(data, rng), _place(data, rng)))
    if one + size <= other:
        data[one : one + size], data[other : other + size] = data[other : other + size], data[one : one + size]


def _splice(data: bytearray, rng: random.Random, others: Sequence[bytes]) -> None:
    other = rng.choice(others)
    start = rng.randrange(len(other) + 1)
    at = _place(data, rng)
    data[at : at + rng.randrange(64)] = other[start : start + rng.choice((8, 64, 4096))]


_MUTATORS: Final[tuple[Mutator, ...]] = (
    _flip,
    _set,
    _number,
    _cut,
    _end,
    _again,
    _token,
    _token,
    _value,
    _value,
    _swap,
)
