"""What many trials found, in one table."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from faults.trial import Fate, Trial
from faults.warm import STEPS

_FATES: Final[tuple[Fate, ...]] = ("survived", "refused", "lost")


def table(trials: list[Trial]) -> Iterator[str]:
    """Lines: a row a kind of fault, with how it ended, and the steps in which it fell."""
    blows = [blow for trial in trials for blow in trial.blows]
    fates = Counter((blow.kind, blow.fate) for blow in blows)
    steps = Counter((blow.kind, blow.step) for blow in blows)
    heads = ("faults", *_FATES, *STEPS)
    yield f"{'kind':<30}" + "".join(f"{head:>10}" for head in heads)
    for kind in sorted({blow.kind for blow in blows}):
        cells = (
            sum(fates[kind, fate] for fate in _FATES),
            *(fates[kind, fate] for fate in _FATES),
            *(steps[kind, step] for step in STEPS),
        )
        yield f"{kind:<30}" + "".join(f"{cell:>10}" for cell in cells)
    by_fate, by_step = Counter(blow.fate for blow in blows), Counter(blow.step for blow in blows)
    cells = (len(blows), *(by_fate[fate] for fate in _FATES), *(by_step[step] for step in STEPS))
    yield f"{'all':<30}" + "".join(f"{cell:>10}" for cell in cells)
    yield ""
    yield f"{'step':<30}" + "".join(f"{head:>10}" for head in ("faults", *_FATES))
    for step in STEPS:
        by = Counter(blow.fate for blow in blows if blow.step == step)
        yield f"{step:<30}" + "".join(f"{cell:>10}" for cell in (sum(by.values()), *(by[fate] for fate in _FATES)))


def story(trial: Trial, seed: int) -> Iterator[str]:
    """Lines about one trial."""
    yield f"trial {trial.number} ({trial.state}); again: scripts/faults --seed {seed} --only {trial.number}"
    for blow in trial.blows:
        yield (
            f"  {blow.kind} in {blow.step}, operation {blow.at}{f', {blow.hit}' if blow.hit else ''}: "
            f"ended with {blow.code}, {blow.fate}{f' ({blow.trouble})' if blow.trouble else ''}"
        )
        yield from (f"    | {line}" for line in blow.said.splitlines()[-12 if blow.trouble else -1 :])
    yield from (f"  then {line}" for line in trial.remedies)
    yield from (f"  PROBLEM {line}" for line in trial.problems)
