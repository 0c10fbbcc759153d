import io
import math
import pickle
import pickletools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foreign_files import FaceType, SampleType, deepfacelab_modules
from lookalike.interchange.pickle_writer import Member, dumps, write_to
from lookalike.interchange.pickles import read_pickle

_PLAIN = (
    st.none() | st.booleans() | st.integers(-(2**200), 2**200) | st.floats(allow_nan=False) | st.text() | st.binary()
)
_VALUES = st.recursive(
    _PLAIN,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=30,
)
_ARRAYS = [
    np.arange(24, dtype="<f4").reshape(2, 3, 4),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.arange(10, dtype=">i2")[::2],
    np.array([True, False]),
    np.zeros((0, 2), np.float32),
    np.array(3.5, np.float16),
    np.arange(300, dtype=np.uint8).reshape(-1, 1),
    np.array([2**63], np.uint64),
]
_NUMBERS = [np.float32(0.1), np.float64(-0.0), np.int64(-5), np.uint8(200), np.bool_(True)]


def _same(found: Any, wanted: Any) -> None:
    assert type(found) is type(wanted)
    assert found.dtype == np.dtype(wanted.dtype).newbyteorder("=")
    assert found.shape == wanted.shape
    assert found.tobytes() == wanted.astype(found.dtype).tobytes()


@pytest.mark.parametrize("protocol", [3, 4])
@settings(max_examples=30, deadline=None)
@given(value=_VALUES)
def test_what_is_written_is_what_python_reads(protocol: int, value: object) -> None:
    assert repr(pickle.loads(dumps(value, protocol))) == repr(value)


@pytest.mark.parametrize("protocol", [3, 4])
@pytest.mark.parametrize("value", [*_ARRAYS, *_NUMBERS], ids=lambda value: f"{value.dtype.str}{value.shape}")
def test_arrays_and_numbers_of_numpy_come_back_bit_for_bit(protocol: int, value: Any) -> None:
    written = dumps({"x": [value]}, protocol)
    _same(pickle.loads(written)["x"][0].astype(value.dtype.newbyteorder("=")), value)
    read: Any = read_pickle(written, "a pickle")
    _same(read["x"][0], value)
    assert b"numpy.core.multiarray" in written
    assert b"_core" not in written


@pytest.mark.parametrize("protocol", [3, 4])
def test_only_opcodes_of_the_protocol_are_written(protocol: int) -> None:
    value = [None, 1, -1, 2**40, 300, 70000, 0.5, "a", b"b" * 300, (), (1, 2, 3, 4), {"a": _ARRAYS}, _NUMBERS]
    assert max(opcode.proto for opcode, _, _ in pickletools.genops(dumps(value, protocol))) <= protocol


def test_members_of_enumerations_load_as_such() -> None:
    value = [Member("facelib.FaceType", "FaceType", 4), Member("samplelib.Sample", "SampleType", 1)]
    with deepfacelab_modules():
        face, sample = pickle.loads(dumps(value, 4))
    assert face is FaceType.WHOLE_FACE
    assert sample is SampleType.FACE
    assert read_pickle(dumps(value, 3), "a pickle") == [4, 1]


def test_long_lists_and_dicts_are_whole() -> None:
    value = {str(number): list(range(number % 7, 2500 if number < 7 else 9)) for number in range(1200)}
    assert pickle.loads(dumps(value)) == value


def test_a_file_gets_the_same_bytes() -> None:
    value = {"weight:0": np.arange(1000, dtype=np.float32), "names": ["a", "b"], "nan": math.inf}
    file = io.BytesIO()
    write_to(file, value)
    assert file.getvalue() == dumps(value, 4)


@pytest.mark.parametrize(
    ("value", "problem"),
    [({1}, TypeError), (np.array(["a"]), TypeError), (np.array([object()]), TypeError), (1j, TypeError)],
)
def test_anything_else_is_not_written(value: object, problem: type[Exception]) -> None:
    with pytest.raises(problem, match="not written into pickles"):
        dumps([value])


def test_a_list_that_holds_itself_is_refused() -> None:
    value: list[object] = []
    value.append(value)
    with pytest.raises(ValueError, match="nested deeper"):
        dumps(value)


def test_other_protocols_are_refused() -> None:
    with pytest.raises(ValueError, match="only 3 and 4"):
        dumps(None, 5)
