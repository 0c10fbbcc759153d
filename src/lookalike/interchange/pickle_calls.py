"""What REDUCE and its kin do in our pickles: a few things are made by our own code, and nothing else is called."""

from collections.abc import Callable
from typing import Final

from lookalike.interchange.pickle_arrays import PendingArray, Slice, array_type, make_array, make_scalar
from lookalike.interchange.pickle_names import ENUMS, Name

_SCALARS: Final = (type(None), bool, int, float, str, bytes)
_LONGEST_KEY: Final = 16
_MOST_PARTS: Final = 256

Spend = Callable[[int], None]
Arguments = tuple[object, ...]


def make(name: Name, arguments: Arguments, spend: Spend, *, shapes_only: bool) -> object:
    """What a call of a known name stands for.

    Args:
        name: what is called.
        arguments: of the call, as the file gives them.
        spend: asked for so many bytes of memory before they are taken.
        shapes_only: give shapes in the place of arrays.

    Raises:
        ValueError: it cannot be called with these.
    """
    match name, arguments:
        case Name.RECONSTRUCT, (Name.NDARRAY, (0,), _):
            return PendingArray()
        case Name.DTYPE, (str(), *_):
            return array_type(arguments)
        case Name.FROM_BUFFER, (raw, kind, shape, str(order)):
            return PendingArray(make_array(raw, kind, shape, order, spend, shapes_only=shapes_only))
        case Name.SCALAR, (kind, raw):
            return make_scalar(kind, raw)
        case ((Name.FACE_TYPE | Name.SAMPLE_TYPE), (int(number),)):
            return int(number)
        case Name.GETATTR, (Name() as kind, str(member)) if member in ENUMS.get(kind, {}):
            return ENUMS[kind][member]
        case Name.PATH, _:
            return _path(arguments, spend)
        case Name.ORDERED_DICT, ():
            return {}
        case ((Name.SET | Name.FROZENSET), ()):
            return set()
        case ((Name.SET | Name.FROZENSET), (list(items),)):
            spend(len(items) * 64)
            return {key(item) for item in items}
    return _bytes(name, arguments, spend)


def key(value: object) -> object:
    """A value that may be a key of a dict or a member of a set, in bounded time.

    Raises:
        ValueError: it may not.
    """
    flat = value if type(value) is tuple and len(value) <= _LONGEST_KEY else (value,)
    for part in flat:
        if type(part) not in _SCALARS or (type(part) is int and not -(2**63) <= part < 2**64):
            raise ValueError("a key that is neither text nor a number")
    return value


def _bytes(name: Name, arguments: Arguments, spend: Spend) -> bytes:
    match name, arguments:
        case Name.ENCODE, (str(text), "latin1" | "latin-1"):
            spend(len(text))
            return text.encode("latin-1")
        case ((Name.BYTES | Name.BYTEARRAY), ()):
            return b""
        case Name.BYTEARRAY, (str(text), "latin1" | "latin-1"):
            spend(len(text))
            return text.encode("latin-1")
        case ((Name.BYTES | Name.BYTEARRAY), (bytes(data),)):
            return data
        case Name.BYTEARRAY, (Slice() as part,):
            spend(part.length)
            return part.read()
    raise ValueError(f"a call of {name.value}")


def _path(arguments: Arguments, spend: Spend) -> str:
    """A path as plain text; what it names is never looked at."""
    if len(arguments) > _MOST_PARTS or not all(isinstance(part, str) for part in arguments):
        raise ValueError("a path")
    parts = [str(part) for part in arguments]
    spend(sum(map(len, parts)) + 64)
    return parts[0] + "/".join(parts[1:]) if parts[:1] == ["/"] else "/".join(parts)
