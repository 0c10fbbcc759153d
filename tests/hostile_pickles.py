"""Pickles that would make a file if they were loaded, in every way that is known to us."""

import io
import os
import pickle
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

Payload = Callable[[Path], bytes]


class _Calls:
    """Pickled as a call."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self._call = function, arguments

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return self._call


def _text(text: str) -> bytes:
    data = text.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def _touch(path: Path) -> str:
    return f"touch {path}"


def _lines(path: Path, opening: bytes, closing: bytes) -> bytes:
    """Protocol 0, with os.system in two lines."""
    return opening + b"S'" + _touch(path).encode() + b"'\n" + closing


def _global(module: str, name: str) -> bytes:
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def _touched_path(path: Path) -> bytes:
    """getattr(Path(path), "touch")(), of names that a reader may know."""
    return (
        b"\x80\x02" + _global("builtins", "getattr") + _global("pathlib", "PosixPath") + _text(str(path)) + b"\x85R"
        b"X\x05\x00\x00\x00touch\x86R)R."
    )


def _chain(path: Path) -> bytes:
    """getattr(__import__("os"), "system")(...), which mentions os nowhere as a global."""
    imported = _global("builtins", "__import__") + _text("os") + b"\x85R"
    got = _global("builtins", "getattr") + imported + _text("system") + b"\x86R"
    return b"\x80\x02" + got + _text(_touch(path)) + b"\x85R."


def _from_memo(path: Path) -> bytes:
    """STACK_GLOBAL of parts that were put away and brought back."""
    parts = b"\x8c\x06system\x94\x8c\x02os\x9400" + b"h\x01h\x00\x93"
    return b"\x80\x04" + parts + _text(_touch(path)) + b"\x85R."


def _memo_swap(path: Path) -> bytes:
    """A known name is remembered, and another put in its place."""
    known = _global("builtins", "set") + b"q\x00"
    return b"\x80\x02" + known + b"0" + _global("os", "system") + b"q\x000h\x00" + _text(_touch(path)) + b"\x85R."


def _dotted(path: Path) -> bytes:
    """A known module, and a name that leads out of it."""
    return b"\x80\x04\x8c\x07pathlib\x8c\x09os.system\x93" + _text(_touch(path)) + b"\x85R."


def _set_state(path: Path) -> bytes:
    """BUILD, which calls __setstate__ of what os.system gave."""
    return b"\x80\x02" + _global("os", "system") + _text(_touch(path)) + b"\x85R}b."


def _rebuilt(path: Path) -> bytes:
    """An instance made by copyreg, with a state that makes a file."""
    made = _global("copy_reg", "_reconstructor") + _global("io", "FileIO") + _global("builtins", "object") + b"N\x87R"
    opened = _global("io", "FileIO") + _text(str(path)) + _text("w") + b"\x86R"
    return b"\x80\x02" + opened + b"0" + made + b"."


def _torch(path: Path) -> bytes:
    """torch.storage._load_from_bytes of bytes that torch would unpickle."""
    inner = _system(path)
    return b"\x80\x04ctorch.storage\n_load_from_bytes\n" + b"B" + struct.pack("<I", len(inner)) + inner + b"\x85R."


def _loads(path: Path) -> bytes:
    """A pickle within a pickle."""
    inner = _system(path)
    return b"\x80\x04cpickle\nloads\n" + b"B" + struct.pack("<I", len(inner)) + inner + b"\x85R."


def _numpy_load(path: Path) -> bytes:
    """numpy.load of an array of objects, with leave to unpickle it."""
    array = io.BytesIO()
    np.save(array, np.array([_Calls(os.system, _touch(path))], object), allow_pickle=True)
    opened = b"cio\nBytesIO\n" + b"B" + struct.pack("<I", len(array.getvalue())) + array.getvalue() + b"\x85R"
    return b"\x80\x04cnumpy\nload\n" + opened + b"N\x88\x87R."


def _mapped(path: Path, ending: bytes) -> bytes:
    """tuple(map(os.system, [...])): the classes alone make the call, when they are made by their __new__."""
    mapped = _global("builtins", "map") + _global("os", "system") + b"]" + _text(_touch(path)) + b"a\x86\x81"
    return b"\x80\x04" + _global("builtins", "tuple") + mapped + b"\x85" + ending + b"."


def _system(path: Path) -> bytes:
    return pickle.dumps(_Calls(os.system, _touch(path)), 4)


PAYLOADS: Final[dict[str, Payload]] = {
    "os.system": _system,
    "os.system, protocol 0": lambda path: pickle.dumps(_Calls(os.system, _touch(path)), 0),
    "eval": lambda path: pickle.dumps(_Calls(eval, f"open({str(path)!r}, 'w').close()")),
    "exec": lambda path: pickle.dumps(_Calls(exec, f"open({str(path)!r}, 'w').close()")),
    "open": lambda path: pickle.dumps(_Calls(open, str(path), "w")),
    "subprocess": lambda path: pickle.dumps(_Calls(subprocess.check_call, ["touch", str(path)])),
    "pathlib": lambda path: pickle.dumps(_Calls(Path.touch, path), 4),
    "getattr of a path": _touched_path,
    "getattr of an import": _chain,
    "STACK_GLOBAL from the memo": _from_memo,
    "memo in another's place": _memo_swap,
    "dotted name": _dotted,
    "INST": lambda path: _lines(path, b"(", b"ios\nsystem\n."),
    "OBJ": lambda path: _lines(path, b"(cos\nsystem\n", b"o."),
    "OBJ of a file": lambda path: b"(" + _global("io", "FileIO") + _text(str(path)) + _text("w") + b"o.",
    "NEWOBJ": lambda path: _mapped(path, b"\x81"),
    "NEWOBJ_EX": lambda path: _mapped(path, b"}\x92"),
    "BUILD": _set_state,
    "copyreg": _rebuilt,
    "torch": _torch,
    "pickle in a pickle": _loads,
    "numpy.load": _numpy_load,
    "array of objects": lambda path: pickle.dumps(np.array([_Calls(os.system, _touch(path))], object), 4),
    "array of objects, protocol 2": lambda path: pickle.dumps(np.array([_Calls(os.system, _touch(path))], object), 2),
    "deep inside": lambda path: pickle.dumps({"landmarks": [(1, {"a": [_Calls(os.system, _touch(path))]})]}),
    "after its end is not": lambda path: pickle.dumps({"iter": _Calls(os.system, _touch(path)), "options": {}}, 3),
}
"""By a word for the way; each makes a file at the path given, if it is loaded by `pickle`."""

INERT: Final[dict[str, bytes]] = {
    "persistent id": b"Pabc\n.",
    "persistent id on the stack": b"\x80\x02K\x01Q.",
    "extension": b"\x80\x02\x82\x01.",
    "extension of two bytes": b"\x80\x02\x83\x01\x00.",
    "extension of four bytes": b"\x80\x02\x84\x01\x00\x00\x00.",
    "buffer": b"\x80\x05\x97.",
    "buffer to read": b"\x80\x05C\x01a\x98.",
    "codec that decodes": b"\x80\x02" + _global("_codecs", "decode") + b".",
    "encoding by name": b"\x80\x02" + _global("_codecs", "encode") + _text("abc") + _text("rot13") + b"\x86R.",
    "getattr of an enumeration": b"\x80\x02" + _global("builtins", "getattr")
    + _global("facelib.FaceType", "FaceType") + _text("__class__") + b"\x86R.",
    "state for a dict": b"\x80\x02}}b.",
    "state for a name": b"\x80\x02" + _global("numpy", "ndarray") + b"}b.",
    "call of a dict": b"\x80\x02})R.",
    "name that is left": b"\x80\x02]" + _global("builtins", "set") + b"a.",
    "type that is left": b"\x80\x02" + _global("numpy", "dtype") + _text("f4") + b"\x85R.",
    "array never filled": b"\x80\x02" + _global("numpy.core.multiarray", "_reconstruct") + _global("numpy", "ndarray")
    + b"K\x00\x85C\x01b\x87R.",
    "name with a line end": b"\x80\x04\x8c\x09os\nsystem\n\x8c\x01x\x93.",
}  # fmt: skip
"""What makes no file, and is refused as well."""
