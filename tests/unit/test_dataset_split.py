"""Splits of a data set: nobody is in two of them, and they are as near to the shares as can be."""

import itertools
from collections.abc import Hashable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lookalike.errors import BatchError, ConfigError
from lookalike.pipeline import dataset_split
from lookalike.pipeline.dataset_options import SplitName, parse_crf, parse_split
from lookalike.pipeline.dataset_split import connected, split_pairs

SHARES = parse_split("0.8/0.1/0.1")
PEOPLE = st.integers(0, 14)
PAIRS = st.lists(st.tuples(PEOPLE, PEOPLE), min_size=1, max_size=40)


def people_of(pairs: Sequence[tuple[Hashable, Hashable]], splits: Sequence[SplitName]) -> dict[str, set[Hashable]]:
    found: dict[str, set[Hashable]] = {}
    for pair, split in zip(pairs, splits, strict=True):
        found.setdefault(split, set()).update(pair)
    return found


@settings(max_examples=200, deadline=None)
@given(PAIRS, st.integers(0, 3), st.booleans())
def test_nobody_is_in_two_splits(pairs: list[tuple[int, int]], seed: int, many: bool) -> None:
    limit = dataset_split._MOST_WORK
    dataset_split._MOST_WORK = 0 if many else limit  # type: ignore[misc]
    try:
        splits = split_pairs(pairs, SHARES, seed)
    except BatchError:
        assert len(connected(pairs)) < len(SHARES)
        return
    finally:
        dataset_split._MOST_WORK = limit  # type: ignore[misc]
    people = people_of(pairs, splits)
    assert set(people) == set(SHARES)
    for one, other in itertools.combinations(people.values(), 2):
        assert not one & other


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(1, 5), min_size=3, max_size=6))
def test_no_division_of_whole_groups_is_nearer(sizes: list[int]) -> None:
    pairs = [(f"src {group}", f"dst {group} {n}") for group, size in enumerate(sizes) for n in range(size)]
    wanted = {name: share * len(pairs) for name, share in SHARES.items()}

    def off(parts: Sequence[SplitName], counts: Sequence[int]) -> float:
        total = {name: sum(c for part, c in zip(parts, counts, strict=True) if part == name) for name in SHARES}
        return sum(abs(total[name] - wanted[name]) for name in SHARES)

    got = off(split_pairs(pairs, SHARES, 0), [1] * len(pairs))
    whole = (parts for parts in itertools.product(SHARES, repeat=len(sizes)) if set(parts) == set(SHARES))
    assert got == pytest.approx(min(off(parts, sizes) for parts in whole))


def test_a_split_is_the_same_each_time_and_in_any_order() -> None:
    pairs = [(f"a{n}", f"b{n}") for n in range(30)]
    first = dict(zip(pairs, split_pairs(pairs, SHARES, 5), strict=True))
    assert first == dict(zip(pairs[::-1], split_pairs(pairs[::-1], SHARES, 5), strict=True))
    assert first != dict(zip(pairs, split_pairs(pairs, SHARES, 6), strict=True))
    assert [list(first.values()).count(name) for name in SHARES] == [24, 3, 3]


def test_many_pairs_come_near_the_shares() -> None:
    pairs = [(f"a{n // 7}", f"b{n}") for n in range(2000)]
    splits = split_pairs(pairs, SHARES, 0)
    assert abs(splits.count("train") - 1600) <= 7
    assert abs(splits.count("val") - 200) <= 7


def test_one_group_cannot_be_divided() -> None:
    pairs = [("anna", "bert"), ("bert", "cleo"), ("dora", "cleo")]
    with pytest.raises(BatchError, match="3 pairs hang together in 1 group of people"):
        split_pairs(pairs, SHARES, 0)
    assert split_pairs(pairs, parse_split("1"), 0) == ["train"] * 3


@pytest.mark.parametrize("text", ["0.8/0.1", "a/b", "", "0.5/0.5/0.5", "1/1/-1", "nan/0/1", "0.25/0.25/0.25/0.25"])
def test_shares_that_are_none(text: str) -> None:
    with pytest.raises(ConfigError, match=r"write 0\.8/0\.1/0\.1"):
        parse_split(text)


def test_shares_and_qualities() -> None:
    assert parse_split("0.9/0.1") == {"train": 0.9, "test": 0.1}
    assert parse_split("0.5/0/0.5") == {"train": 0.5, "test": 0.5}
    assert parse_crf("40, 23,40") == [23, 40]
    for text in ("", "23,,40", "99", "-1", "x"):
        with pytest.raises(ConfigError, match="write 23,40"):
            parse_crf(text)
