"""Give changed files to every reader: `scripts/fuzz --n 10000 --seed 1`."""

import argparse
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from fuzz.child import input_of, tried
from fuzz.run import MOST_MIB, Job, Tally, fuzz
from fuzz.target import Target
from fuzz.targets import TARGETS


def main() -> int:
    """Run it; 1 if anything crashed."""
    args = _arguments()
    chosen = [target for target in TARGETS if args.target in target.name]
    if not chosen:
        _say(f"there is no target {args.target}; there are: {', '.join(target.name for target in TARGETS)}")
        return 2
    if args.only is not None:
        return _again(chosen[0], args.seed, args.only)
    if args.atheris:
        from fuzz.coverage import follow

        follow(chosen[0], args.seconds)
        return 0
    began, scratch = time.monotonic(), Path(tempfile.mkdtemp(prefix="lookalike-fuzz-"))
    tallies: list[Tally] = []
    for target, count in zip(chosen, counts(chosen, args.n), strict=True):
        job = Job(target, args.first, args.first + count)
        tallies += fuzz([job], args.seed, scratch).values()
        _say(_row(tallies[-1]))
    shutil.rmtree(scratch, ignore_errors=True)
    for line in _summary(tallies, args.seed):
        _say(line)
    _say(f"seed {args.seed}, {time.monotonic() - began:.0f} s")
    return int(any(tally.crashes or tally.mib > MOST_MIB for tally in tallies))


def counts(targets: Sequence[Target], n: int) -> list[int]:
    """How many inputs each target gets of `n` in all, by their shares; at least one each."""
    whole = sum(target.share for target in targets)
    return [max(1, -int(-n * target.share // whole)) for target in targets]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description=__doc__)
    parser.add_argument("--n", type=int, default=10_000, help="inputs, over all targets")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first input of each target")
    parser.add_argument("--target", default="", help="only targets whose name holds this")
    parser.add_argument(
        "--only", type=int, help="the input of that number alone, with what it says; kept as ./fuzz-input"
    )
    parser.add_argument(
        "--atheris", action="store_true", help="let atheris choose the inputs of one target by coverage"
    )
    parser.add_argument("--seconds", type=int, default=60, help="for atheris")
    return parser.parse_args()


def _again(target: Target, seed: int, number: int) -> int:
    data = input_of(target, target.seeds(), seed, number)
    Path("fuzz-input").write_bytes(data)
    with tempfile.TemporaryDirectory() as folder:
        outcome, said = tried(target, data, Path(folder) / "try")
    _say(f"{target.name} {number}: {len(data)} bytes, {outcome} {said}")
    return int(outcome == "crashed")


_HEAD = f"{'target':<18}{'inputs':>9}{'read':>9}{'refused':>9}{'crashed':>9}{'slowest':>10}{'MiB':>7}"


def _row(tally: Tally) -> str:
    return (
        f"{tally.name:<18}{tally.inputs:>9}{tally.read:>9}{tally.refused:>9}{len(tally.crashes):>9}"
        f"{tally.slowest:>8.2f} s{tally.mib:>7}"
    )


def _summary(tallies: Sequence[Tally], seed: int) -> Iterator[str]:
    everything = Tally("all")
    for tally in tallies:
        everything.inputs += tally.inputs
        everything.read += tally.read
        everything.refused += tally.refused
        everything.crashes += tally.crashes
        everything.slowest = max(everything.slowest, tally.slowest)
        everything.mib = max(everything.mib, tally.mib)
    yield f"\n{_HEAD}"
    yield from map(_row, [*tallies, everything])
    for tally in tallies:
        for number, said in tally.crashes[:20]:
            again = f"scripts/fuzz --seed {seed} --target '{tally.name}' --only {number}"
            yield f"\n{tally.name} {number}; again: {again}\n{said}"


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
