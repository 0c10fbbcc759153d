"""The few names that a pickle may mention. None stands for the thing itself: they are marks that our own code knows."""

from enum import Enum
from typing import Final


class Name(Enum):
    """A mark in the place of a class or function."""

    RECONSTRUCT = "_reconstruct"
    NDARRAY = "ndarray"
    DTYPE = "dtype"
    SCALAR = "scalar"
    FROM_BUFFER = "_frombuffer"
    ENCODE = "encode"
    BYTES = "bytes"
    BYTEARRAY = "bytearray"
    SET = "set"
    FROZENSET = "frozenset"
    ORDERED_DICT = "OrderedDict"
    GETATTR = "getattr"
    """Some versions of Python write a member of an enumeration as its class and its name."""
    FACE_TYPE = "FaceType"
    SAMPLE_TYPE = "SampleType"
    PATH = "Path"


_BUILTINS: Final = ("builtins", "__builtin__")
_NUMPY: Final = ("numpy.core", "numpy._core")
_PATHS: Final = ("Path", "PurePath", "PosixPath", "PurePosixPath", "WindowsPath", "PureWindowsPath")

KNOWN: Final[dict[tuple[str, str], Name]] = {
    **{(f"{package}.multiarray", "_reconstruct"): Name.RECONSTRUCT for package in _NUMPY},
    **{(f"{package}.multiarray", "scalar"): Name.SCALAR for package in _NUMPY},
    **{(f"{package}.numeric", "_frombuffer"): Name.FROM_BUFFER for package in _NUMPY},
    ("numpy", "ndarray"): Name.NDARRAY,
    ("numpy", "dtype"): Name.DTYPE,
    ("_codecs", "encode"): Name.ENCODE,
    **{
        (module, name.value): name
        for module in _BUILTINS
        for name in (Name.BYTES, Name.BYTEARRAY, Name.SET, Name.FROZENSET, Name.GETATTR)
    },
    ("collections", "OrderedDict"): Name.ORDERED_DICT,
    ("facelib.FaceType", "FaceType"): Name.FACE_TYPE,
    ("samplelib.Sample", "SampleType"): Name.SAMPLE_TYPE,
    **{(module, name): Name.PATH for module in ("pathlib", "pathlib._local") for name in _PATHS},
}
"""By module and name, as Python 2 and 3 and numpy 1 and 2 spell them."""

ENUMS: Final[dict[Name, dict[str, int]]] = {
    Name.FACE_TYPE: {
        "HALF": 0,
        "MID_FULL": 1,
        "FULL": 2,
        "FULL_NO_ALIGN": 3,
        "WHOLE_FACE": 4,
        "HEAD": 10,
        "HEAD_NO_ALIGN": 20,
        "MARK_ONLY": 100,
    },
    Name.SAMPLE_TYPE: {"IMAGE": 0, "FACE": 1, "FACE_PERSON": 2, "FACE_TEMPORAL_SORTED": 3},
}
"""Members of DeepFaceLab's enumerations."""
