"""The reader of pickles: what Python and numpy write comes back; whatever costs too much is refused early."""

import collections
import pickle
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from foreign_files import FaceType, deepfacelab_modules, numpy1
from lookalike.errors import ForeignFileError
from lookalike.interchange.file_bytes import FileBytes
from lookalike.interchange.pickles import ArrayShape, Limits, read_pickle
from traced import traced

VALUES: dict[str, Any] = {
    "none": None,
    "truth": [True, False],
    "ints": [0, 255, 256, 65535, 65536, -1, 2**31, -(2**31), 2**63, -(2**200)],
    "floats": [0.0, -1.5, 1e300, float("inf"), *map(float, range(20))],
    "text": ["", "ü\N{GRINNING FACE}\n\\'\"", "x" * 300],
    "bytes": [b"", b"\0\xff", bytes(range(256)) * 300, bytearray(b"ab")],
    "tuples": ((), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)),
    "sets": [{1, "a"}, set()],
    "small": list(range(200)),
    "pairs": [[float(x), -float(x)] for x in range(300)],
    "dict": {1: "a", (2, "b"): {}, None: [[], {}]},
}
ARRAYS: list[Any] = [
    np.arange(6, dtype=np.float32).reshape(2, 3),
    np.asfortranarray(np.arange(6, dtype=np.float64).reshape(2, 3)),
    np.arange(20, dtype=np.int16)[::2],
    np.arange(4, dtype=">f4"),
    np.array([True, False]),
    np.zeros((0, 2), np.float16),
    np.array(5, np.uint8),
    np.ones((200, 200)),
]


@pytest.mark.parametrize("protocol", range(6))
def test_plain_values_come_back(protocol: int) -> None:
    assert read_pickle(pickle.dumps(VALUES, protocol), "a file") == VALUES


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("spell", [bytes, numpy1])
def test_arrays_come_back(protocol: int, spell: Any) -> None:
    for array in ARRAYS[: None if spell is bytes else -1]:
        found: Any = read_pickle(spell(pickle.dumps([array, array], protocol)), "a file")[0]  # type: ignore[index]
        assert np.array_equal(found, array)
        assert found.shape == array.shape
        assert found.dtype == array.dtype.newbyteorder("=")
        assert found.flags.writeable
    for number in (np.float32(1.5), np.int64(-3), np.bool_(True)):
        found = read_pickle(spell(pickle.dumps(number, protocol)), "a file")
        assert (found, type(found)) == (number, type(number))


@pytest.mark.parametrize("protocol", range(6))
def test_enumerations_paths_and_ordered_dicts_come_as_plain_values(protocol: int) -> None:
    with deepfacelab_modules():
        data = pickle.dumps([FaceType.HEAD, Path("/a/b"), collections.OrderedDict(x=1), frozenset({2})], protocol)
    assert read_pickle(data, "a file") == [10, "/a/b", {"x": 1}, {2}]


def test_a_member_of_an_enumeration_by_name() -> None:
    data = b"\x80\x02cbuiltins\ngetattr\ncfacelib.FaceType\nFaceType\nX\x0a\x00\x00\x00WHOLE_FACE\x86R."
    assert read_pickle(data, "a file") == 4


def test_texts_of_python_2() -> None:
    assert read_pickle(b"(S'a\\x41\\n'\nU\x01\xe9T\x01\x00\x00\x00bl.", "a file") == ["aA\n", "é", "b"]


def test_halves_of_characters_are_replaced() -> None:
    for protocol in range(6):
        text = read_pickle(pickle.dumps("a\ud800", protocol), "a file")
        assert isinstance(text, str)
        assert text.encode()
        assert text[0] == "a"


def test_shared_values_are_read_once() -> None:
    part = [1, 2]
    found: Any = read_pickle(pickle.dumps([part, part, {"a": part}]), "a file")
    assert found[0] is found[1] is found[2]["a"]


def test_a_file_is_read_in_parts(tmp_path: Path) -> None:
    array = np.arange(500_000, dtype=np.float32)
    (tmp_path / "weights").write_bytes(pickle.dumps({"a": array, "b": VALUES}, 4))
    with FileBytes(tmp_path / "weights") as file:
        found: Any = read_pickle(file, "a file")
        assert np.array_equal(found["a"], array)
        assert found["b"] == VALUES
        with traced() as peak:
            shapes: Any = read_pickle(file, "a file", shapes_only=True)
            assert peak() < 1_000_000
    assert shapes["a"] == ArrayShape((500_000,), "float32")
    assert shapes["a"].bytes == 2_000_000


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_long_lists_of_numbers_come_as_arrays_if_asked(protocol: int) -> None:
    values: dict[str, Any] = {
        "bytes": [n % 256 for n in range(5000)],
        "floats": [float(n) for n in range(3000)],
        "pairs": [[float(n), -float(n)] for n in range(5000)],
        "few": [1, 2, 3],
        "mixed": [*range(100), *map(float, range(100)), "a", *range(100)],
        "large": [*range(250), 300, *range(250)],
        "tuple": tuple(range(200)),
        "dict": {n: n for n in range(200)},
        "pairs and more": [*([float(n), 1.0] for n in range(50)), [1.0, 2.0, 3.0], "a"],
        "texts": [str(n) for n in range(100)],
    }
    found: Any = read_pickle(pickle.dumps(values, protocol), "a file", compact=True)
    for name, kind in (("bytes", np.uint8), ("floats", np.float64), ("pairs", np.float64)):
        array = found.pop(name)
        assert array.dtype == kind
        assert array.flags.writeable
        assert array.tolist() == values.pop(name)
    assert found == values
    plain: Any = read_pickle(pickle.dumps(values, protocol), "a file")
    assert plain == values


def test_a_pair_in_two_places_is_not_taken_for_two() -> None:
    pair = [1.0, 2.0]
    data = pickle.dumps([[pair, *([float(n), 1.0] for n in range(9))], pair], 4)
    found: Any = read_pickle(data, "a file")
    assert found[1] is found[0][0]
    with pytest.raises(ForeignFileError, match="in two places"):
        read_pickle(data, "a file", compact=True)


def laughs(depth: int, opening: bytes = b"]", closing: bytes = b"a") -> bytes:
    """Each list holds the one before it ten times."""
    data = b"\x80\x04]\x94"
    for number in range(depth):
        data += opening + b"".join(b"h" + bytes([number]) + closing for _ in range(10)) + b"\x94"
    return data + b"."


ARRAY = pickle.dumps(np.zeros(100_000), 4)
SHAPED = pickle.dumps(np.zeros((2, 3), np.uint8), 4)
BOMBS = {
    "billion laughs": laughs(30),
    "laughs of tuples": b"\x80\x04K\x00\x94" + b"".join(b"h" + bytes([n]) + b"2\x86\x94" for n in range(38)) + b".",
    "a list in itself": b"\x80\x04]\x94h\x00a.",
    "a dict in itself": b"\x80\x04}\x94K\x01h\x00s.",
    "a tuple in its list": b"\x80\x04]\x94h\x00\x85a.",
    "deep": b"]" * 200_000 + b"a" * 199_999 + b".",
    "deep tuples": b")" + b"\x85" * 200_000 + b".",
    "deep key": b"}" + b")" + b"\x85" * 200_000 + b"Ns.",
    "marks": b"(" * 1000,
    "sets": b"\x8f" * 400_000 + b".",
    "lists": b"(" + b"]" * 900_000 + b"l.",
    "dicts": b"(" + b"}" * 900_000 + b"l.",
    "doubled": b"K\x01" + b"2" * 1_000_000,
    "nothing, often": b"N0" * 500_000,
    "long text claimed": b"\x8d" + (2**62).to_bytes(8, "little"),
    "long bytes claimed": b"\x8e" + (2**40).to_bytes(8, "little"),
    "long array claimed": b"\x96" + (2**63).to_bytes(8, "little"),
    "long frame": b"\x80\x04\x95" + (2**50).to_bytes(8, "little") + b"N.",
    "frames in each other": b"\x80\x04\x95\x0b" + bytes(7) + b"\x95\x02" + bytes(7) + b"N.",
    "number of 4 MB": b"\x8b" + (4_000_000).to_bytes(4, "little") + b"\x7f" * 4_000_000 + b".",
    "number of a million digits": b"I" + b"9" * 1_000_000 + b"\n.",
    "long of a million digits": b"L" + b"9" * 1_000_000 + b"L\n.",
    "memo far away": b"\x80\x02Nr\xff\xff\xff\x7f.",
    "memo of a million digits": b"Np" + b"9" * 1_000_000 + b"\n.",
    "recall far away": b"\x80\x02j\xff\xff\xff\x7f.",
    "long name": b"c" + b"a" * 10_000_000 + b"\nb\n.",
    "shape beyond the bytes": SHAPED.replace(b"K\x02K\x03\x86", b"M\x00\x40K\x03\x86"),
    "shape below 0": SHAPED.replace(b"K\x02K\x03\x86", b"J\xff\xff\xff\xffK\x03\x86"),
    "shape of 2^62": SHAPED.replace(b"K\x02K\x03\x86", b"\x8a\x08" + (2**62).to_bytes(8, "little") + b"K\x00\x86"),
    "shape of many sides": SHAPED.replace(b"K\x02K\x03\x86", b"(" + b"K\x01" * 60 + b"t"),
    "objects": SHAPED.replace(b"\x8c\x02u1", b"\x8c\x02O8"),
    "records": SHAPED.replace(b"\x8c\x02u1", b"\x8c\x02V8"),
    "texts": SHAPED.replace(b"\x8c\x02u1", b"\x8c\x02U1"),
    "times": SHAPED.replace(b"\x8c\x02u1", b"\x8c\x02M8"),
    "array used a thousand times": b"(" + ARRAY[11:-1] + b"\x94" + b"h\x04" * 10_000 + b"l.",
    "newer protocol": b"\x80\x06N.",
    "two values": b"NN.",
    "no value": b".",
    "nothing": b"",
    "half": pickle.dumps(VALUES)[:-200],
    "no opcode": b"\xff.",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_in_bounded_time(name: str) -> None:
    data = BOMBS[name].replace(b"h\x04", b"h\x08") if name.startswith("array used") else BOMBS[name]
    start = time.process_time()
    with pytest.raises(ForeignFileError, match=r"^a file (is damaged|is larger than is read)") as raised:
        read_pickle(data, "a file", Limits(steps=1_000_000, memory=64 * 2**20))
    assert "\n" not in str(raised.value)
    assert time.process_time() - start < 10


def test_the_usual_limits_take_seconds_at_most() -> None:
    start = time.process_time()
    with pytest.raises(ForeignFileError, match="more than 8000000 steps"):
        read_pickle(b"N0" * 9_000_000, "a file")
    assert time.process_time() - start < 10


HUNGRY = [
    *(
        b"\x8f",
        b"]",
        b"}",
        b"]Na",
        b"}NNs",
        b")\x85",
        b"K\1\x85",
        b"M\1\1",
        b"G1234567N",
        b"GG123456N",
        b"K\1",
    ),
    *(b"]\x94(G12345678G12345678e", b"C\0", b"\x8c\x02\xc4\x80", b"N\x94", b"cnumpy\ndtype\nU\2f4\x85R", b"(K\1\x91"),
]
"""What takes much more memory than the file has bytes, if it is repeated."""


def test_memory_is_bounded() -> None:
    """What is estimated holds, whatever the values are."""
    code = f"""if True:
        import sys
        sys.path.insert(0, {str(Path(__file__).parents[1])!r})
        from peak import peak_mebibytes
        from lookalike.errors import ForeignFileError
        from lookalike.interchange.pickles import Limits, read_pickle
        before = peak_mebibytes()
        for part in {HUNGRY}:
            try:
                read_pickle(b"(" + part * (8_000_000 // len(part)), "x", Limits(memory=16 * 2**20, steps=500_000))
            except ForeignFileError as exc:
                assert "16 MiB" in str(exc) or "steps" in str(exc) or "deep" in str(exc), (part, exc)
            else:
                raise AssertionError(part)
            print(part, peak_mebibytes() - before)
    """
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == len(HUNGRY)
    assert int(lines[-1].split()[-1]) < 56, lines  # 16 MiB, the input, and what Python keeps


def test_every_prefix_of_a_pickle_is_refused() -> None:
    whole = pickle.dumps([VALUES["dict"], ARRAYS[0], ARRAYS[1]], 4)
    for length in range(len(whole)):
        with pytest.raises(ForeignFileError):
            read_pickle(whole[:length], "a file")


def test_limits_can_be_narrow() -> None:
    data = pickle.dumps(list(map(str, range(10_000))))
    assert read_pickle(data, "a file") == list(map(str, range(10_000)))
    with pytest.raises(ForeignFileError, match="more than 1000 steps"):
        read_pickle(data, "a file", Limits(steps=1000))
    with pytest.raises(ForeignFileError, match="more than 0 MiB"):
        read_pickle(data, "a file", Limits(memory=100_000))
