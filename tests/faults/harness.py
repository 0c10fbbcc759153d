"""Run many faults: `scripts/faults --n 1000 --seed 1`."""

import argparse
import os
import shutil
import tempfile
import time
from pathlib import Path

from faults import warm
from faults.kinds import kinds_here
from faults.place import Place
from faults.refusals import why_no_disks
from faults.states import make_states
from faults.table import story, table
from faults.trial import Ground, Trial, run_trial

_STATES = ("faces", "fresh", "more")


def main() -> int:
    """Run it; 1 if anything was lost."""
    args = _arguments()
    scratch = args.scratch or Path(tempfile.mkdtemp(prefix="lookalike-faults-"))
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    scratch = scratch.resolve()
    _live_in(scratch / "home")
    began = time.monotonic()
    warm.warm()
    place = Place(scratch / "trial")
    states = make_states(scratch, place, _STATES)
    for state in states.values():
        _say(f"{state.name}: {state.operations} operations on files, {state.seconds:.1f} s undisturbed")
    why = why_no_disks(scratch)
    if why is not None:
        _say(f"left out: a disk in memory that fills up ({why})")
    kinds = kinds_here(disks=why is None)
    if args.kind:
        kinds = {kind: weight for kind, weight in kinds.items() if args.kind in kind.kind}
    trials = _trials(Ground(scratch, place, states, kinds), args)
    for line in table(trials):
        _say(line)
    lost = [trial.number for trial in trials if trial.lost]
    faults = sum(len(trial.blows) for trial in trials)
    seconds = time.monotonic() - began
    _say(f"\n{faults} faults in {len(trials)} trials, seed {args.seed}, {seconds:.0f} s; lost: {lost or 0}")
    if args.scratch is None:
        shutil.rmtree(scratch)
    return bool(lost)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/faults", description=__doc__)
    parser.add_argument("--n", type=int, default=25, help="faults")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="the trial of that number alone")
    parser.add_argument("--first", type=int, default=0, help="trial to begin with")
    parser.add_argument("--kind", default="", help="only kinds whose name holds this; draws others than without it")
    parser.add_argument("--scratch", type=Path, help="folder to work in, emptied first and kept")
    parser.add_argument("--tell", action="store_true", help="tell of every trial")
    return parser.parse_args()


def _live_in(home: Path) -> None:
    """Keep what commands write for a person out of the house of whoever runs this."""
    home.mkdir()
    os.environ["HOME"] = str(home)
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        del os.environ[name]


def _trials(ground: Ground, args: argparse.Namespace) -> list[Trial]:
    trials: list[Trial] = []
    faults, number = 0, args.first if args.only is None else args.only
    while faults < args.n:
        trial = run_trial(ground, args.seed, number)
        trials.append(trial)
        faults += len(trial.blows)
        if trial.lost or args.tell or args.only is not None:
            for line in story(trial, args.seed):
                _say(line)
        if args.only is not None:
            break
        number += 1
        if number % 20 == 0:
            lost = sum(trial.lost for trial in trials)
            _say(f"{faults} faults in {number - args.first} trials, {lost} lost")
    return trials


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201
