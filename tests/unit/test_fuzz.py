"""Changed files for every reader: each is read or refused in one line, in bounded time and memory, without a trace."""

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drawn_faces import drawn_record
from fuzz.broken import BROKEN
from fuzz.run import MOST_MIB, Job, fuzz
from fuzz.targets import TARGETS
from lookalike.errors import ConfigError, ForeignFileError, LookalikeError, RecordError
from lookalike.faceset.record import parse_record
from lookalike.interchange.literals import read_literal
from lookalike.interchange.pickles import read_pickle
from lookalike.models.checkpoint import load_state
from lookalike.site_config import load_site_config

_PROPERTY = settings(
    max_examples=150, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
_EACH = 30
"""Inputs of a target; `scripts/fuzz` gives more."""

_KEYS = st.text(max_size=8) | st.integers(-(2**63), 2**64 - 1) | st.binary(max_size=4) | st.booleans() | st.none()
_LEAVES = _KEYS | st.floats(allow_nan=False) | st.integers(-(2**255), 2**255 - 1) | st.binary() | st.text()
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.lists(inner, max_size=6).map(tuple)
        | st.dictionaries(_KEYS, inner, max_size=6)
        | st.sets(_KEYS, max_size=6)
    ),
    max_leaves=40,
)
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
_WRITTEN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**39), 10**39) | st.floats(allow_nan=False) | st.binary() | _TEXTS,
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.lists(inner, max_size=6).map(tuple)
        | st.dictionaries(_TEXTS, inner, max_size=6)
    ),
    max_leaves=40,
)


def test_changed_files_are_read_or_refused(tmp_path: Path) -> None:
    tallies = fuzz([Job(target, 0, _EACH) for target in TARGETS], seed=8, scratch=tmp_path)
    crashes = {name: tally.crashes for name, tally in tallies.items() if tally.crashes}
    assert not crashes, "\n".join(f"{name} {number}: {said}" for name, all_ in crashes.items() for number, said in all_)
    assert {tally.inputs for tally in tallies.values()} == {_EACH}
    assert max(tally.mib for tally in tallies.values()) < MOST_MIB
    assert all(tally.read for tally in tallies.values())


def test_what_no_reader_may_do_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOOKALIKE_PATIENCE", "0.3")
    tallies = fuzz([Job(target, 0, 2) for target in BROKEN], seed=1, scratch=tmp_path)
    expected = {
        "broken: raises": "KeyError: 'what nobody expects'",
        "broken: tells much": "more than one line",
        "broken: writes away": "wrote ",
        "broken: starts": "subprocess.Popen",
        "broken: dies": "the process ended with 3",
        "broken: hangs": "not done within 3 s",
        "broken: eats": "MemoryError",
    }
    assert tallies.keys() == expected.keys()
    for name, tally in tallies.items():
        ((number, said),) = tally.crashes
        assert (number, tally.inputs, tally.read) == (1, 2, 1)
        assert expected[name] in said


def test_a_name_in_a_file_stays_in_its_line() -> None:
    """Found by the target `face file`: a record's unknown key was told with its line ends, however long it was."""
    good = json.loads(drawn_record()[1].model_dump_json())
    for key in ("\v", "\n\x1b[2J", "\u2028", "x" * 100_000):
        with pytest.raises(RecordError) as raised:
            parse_record(json.dumps(good | {key: 1}), "a face")
        assert str(raised.value).isprintable()
        assert len(str(raised.value)) < 400


@pytest.mark.parametrize(
    "model", [{"model": ["guided"]}, {"model": {}}, {"model": "\n" * 300}, {"model": "sae", "\v": 1}]
)
def test_a_model_of_no_known_name_is_refused_in_one_line(model: dict[str, Any], tmp_path: Path) -> None:
    """Found by the target `model`: a list in the place of the name was looked up in a dict."""
    (tmp_path / "state.json").write_text(json.dumps({"format": 2, "model": model}))
    with pytest.raises(LookalikeError) as raised:
        load_state(tmp_path)
    assert str(raised.value).isprintable()


def test_deep_settings_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found by the target `config.toml`: Python's parser of TOML calls itself for every bracket."""
    (tmp_path / "config.toml").write_text("a = " + "[" * 5000)
    monkeypatch.setenv("LOOKALIKE_CONFIG", str(tmp_path / "config.toml"))
    with pytest.raises(ConfigError, match="cannot be read"):
        load_site_config()


@_PROPERTY
@given(_VALUES, st.integers(0, 5))
def test_any_plain_value_comes_back(value: Any, protocol: int) -> None:
    text = pickle.dumps(value, protocol)
    found = read_pickle(text, "a file")
    assert pickle.loads(text) == found or _has_lone_surrogate(value)


@_PROPERTY
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for start in (b"", b"\x80\x04", b"(", pickle.dumps(np.ones(3))[:-1]):
        try:
            read_pickle(start + data, "a file")
        except ForeignFileError as exc:
            assert str(exc).isprintable()  # noqa: PT017


@_PROPERTY
@given(_WRITTEN)
def test_any_value_that_python_writes_is_read(value: Any) -> None:
    assert read_literal(repr(value), "a file", 1 << 20) == value


def _has_lone_surrogate(value: Any) -> bool:
    try:
        repr(value).encode()
    except UnicodeEncodeError:
        return True
    return "\\ud" in repr(value)
