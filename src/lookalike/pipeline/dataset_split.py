"""Dividing pairs of people so that nobody is in two parts: what hangs together by people stays together. Pure."""

from collections.abc import Hashable, Mapping, Sequence
from random import Random
from typing import Final

from lookalike.errors import BatchError
from lookalike.pipeline.dataset_options import SplitName

_MOST_WORK: Final = 2_000_000
"""Up to so many steps the best division is looked for among all; beyond, a good one is taken."""


def split_pairs(
    pairs: Sequence[tuple[Hashable, Hashable]], shares: Mapping[SplitName, float], seed: int
) -> list[SplitName]:
    """The part that each pair goes to.

    Args:
        pairs: two people (or videos) each, in any order; the order decides nothing.
        shares: wanted of the pairs, by part; they add up to 1.
        seed: chooses among divisions that are equally near to the shares.

    Raises:
        BatchError: fewer groups of people who share no pair than parts.
    """
    groups = connected(pairs)
    if len(groups) < len(shares):
        raise BatchError(
            f"{len(pairs)} pairs hang together in {len(groups)} group{'s' if len(groups) != 1 else ''} of people, "
            f"too few for {'/'.join(shares)} without one person in two of them; add pairs of other people, "
            "ask for fewer parts with --split, or --allow-leak"
        )
    groups.sort(key=lambda group: sorted(repr(pairs[n]) for n in group))
    Random(seed).shuffle(groups)
    groups.sort(key=len, reverse=True)
    sizes = [len(group) for group in groups]
    parts, wanted = list(shares), [share * len(pairs) for share in shares.values()]
    states = len(pairs) ** (len(parts) - 1)
    places = _best(sizes, wanted) if states * len(sizes) <= _MOST_WORK else _good(sizes, wanted)
    found: dict[int, SplitName] = {}
    for group, place in zip(groups, places, strict=True):
        found |= dict.fromkeys(group, parts[place])
    return [found[number] for number in range(len(pairs))]


def connected(pairs: Sequence[tuple[Hashable, Hashable]]) -> list[list[int]]:
    """Numbers of pairs that hang together by those who are in them, as lists."""
    above: dict[Hashable, Hashable] = {}

    def top(one: Hashable) -> Hashable:
        above.setdefault(one, one)
        while above[one] != one:
            above[one] = above[above[one]]
            one = above[one]
        return one

    for first, second in pairs:
        above[top(first)] = top(second)
    groups: dict[Hashable, list[int]] = {}
    for number, (first, _) in enumerate(pairs):
        groups.setdefault(top(first), []).append(number)
    return list(groups.values())


def _best(sizes: Sequence[int], wanted: Sequence[float]) -> list[int]:
    """For each group the number of its part, so that the counts differ least from those wanted and no part is empty."""
    last = len(wanted) - 1
    steps: list[dict[tuple[int, ...], tuple[tuple[int, ...], int]]] = []
    reached: dict[tuple[int, ...], None] = {(0,) * last: None}
    for size in sizes:
        step: dict[tuple[int, ...], tuple[tuple[int, ...], int]] = {}
        for counts in reached:
            for place in range(len(wanted)):
                new = counts if place == last else (*counts[:place], counts[place] + size, *counts[place + 1 :])
                step.setdefault(new, (counts, place))
        steps.append(step)
        reached = dict.fromkeys(step)
    total = sum(sizes)

    def off(counts: tuple[int, ...]) -> float:
        return _off((*counts, total - sum(counts)), wanted)

    at = min(reached, key=off)
    places = []
    for step in reversed(steps):
        at, place = step[at]
        places.append(place)
    return places[::-1]


def _good(sizes: Sequence[int], wanted: Sequence[float]) -> list[int]:
    """As `_best`, but each group, the largest first, goes to where most is missing; then single ones are moved."""
    counts = [0] * len(wanted)
    places: list[int] = []
    for number, size in enumerate(sizes):
        empty = [place for place, count in enumerate(counts) if count == 0]
        needed = empty if len(sizes) - number <= len(empty) else range(len(wanted))
        place = max(needed, key=lambda one: wanted[one] - counts[one])
        counts[place] += size
        places.append(place)
    better = True
    while better:
        better = False
        for number, size in enumerate(sizes):
            for place in range(len(wanted)):
                moved = list(counts)
                moved[places[number]] -= size
                moved[place] += size
                if _off(moved, wanted) < _off(counts, wanted) - 1e-9:
                    counts, places[number], better = moved, place, True
    return places


def _off(counts: Sequence[int], wanted: Sequence[float]) -> float:
    """How far counts are from those wanted; an empty part is further away than anything else."""
    apart = sum(abs(count - want) for count, want in zip(counts, wanted, strict=True))
    return apart + 4 * sum(wanted) * sum(count == 0 for count in counts)
