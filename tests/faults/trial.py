"""One trial: a swap, some faults in a row, a run that nothing disturbs, and what came of it."""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Final, Literal

from faults.child import Child, Ended, in_fork
from faults.fault import DONE, REFUSED, WRONG_USAGE, Fault, Scene, trouble_with
from faults.hook import Hook, reset
from faults.judgement import problems
from faults.outcome import outcome_of
from faults.place import Place
from faults.refusals import SmallDisk, mount, unmount
from faults.states import State

Fate = Literal["survived", "refused", "lost"]
_CHAIN_WEIGHTS: Final = (2, 3, 3, 2)
"""How often one, two, three and four faults follow each other."""
_STATE_WEIGHTS: Final = {"fresh": 1, "faces": 2, "more": 2}
"""A swap from the beginning takes twice as long as the others."""
_MOST_REMEDIES: Final = 5
_DISK_BYTES: Final = 512 * 2**20


@dataclass(slots=True)
class Blow:
    """A fault that fell, and what became of it."""

    kind: str
    step: str
    hit: str
    at: int
    code: int
    said: str
    fate: Fate = "survived"
    trouble: str | None = None


@dataclass(slots=True)
class Trial:
    """What a trial found."""

    number: int
    state: str
    blows: list[Blow] = field(default_factory=list)
    remedies: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def lost(self) -> bool:
        """Whether something was lost."""
        return bool(self.problems) or any(blow.fate == "lost" for blow in self.blows)


@dataclass(frozen=True, slots=True)
class Ground:
    """Where trials take place."""

    scratch: Path
    place: Place
    states: dict[str, State]
    kinds: dict[type[Fault], int]


def run_trial(ground: Ground, seed: int, number: int) -> Trial:
    """Trial `number` of a seed; its faults are drawn from both."""
    rng = Random(f"{seed}/{number}")
    names = sorted(ground.states)
    state = ground.states[rng.choices(names, [_STATE_WEIGHTS[name] for name in names])[0]]
    kinds = rng.choices(list(ground.kinds), list(ground.kinds.values()), k=rng.choices((1, 2, 3, 4), _CHAIN_WEIGHTS)[0])
    own_disk = SmallDisk in kinds
    ground.place.folder.mkdir(exist_ok=True)
    ground.place.clear()
    if own_disk:
        mount(ground.place.folder, _DISK_BYTES)
    try:
        return _Run(ground, state, rng, number).go(kinds)
    finally:
        if own_disk:
            unmount(ground.place.folder)


class _Run:
    def __init__(self, ground: Ground, state: State, rng: Random, number: int) -> None:
        self._ground, self._state, self._rng = ground, state, rng
        self._place = ground.place
        self._trial = Trial(number, state.name)
        self._faults: list[Fault] = []
        self._changed: set[str] = set()
        """Names of files that were deleted because an error asked for it."""
        self._extra: list[str] = []

    def go(self, kinds: list[type[Fault]]) -> Trial:
        """Do all of it."""
        self._place.fill(self._state.folder)
        done = 0
        for kind in kinds:
            left = max(1, self._state.operations - done)
            fault = kind(self._scene(), Random(self._rng.getrandbits(64)), self._rng.randint(1, left))
            ended = self._struck(fault)
            done = min(done + ended.struck, self._state.operations - 1)
        self._go_on()
        for blow in self._trial.blows:
            if self._trial.problems and blow.fate != "lost":
                blow.fate = "lost"
        return self._trial

    def _scene(self) -> Scene:
        state = self._state
        command = self._place.command(state.iterations)
        return Scene(self._place, command, self._ground.scratch, state.seconds, frozenset(state.users))

    def _struck(self, fault: Fault) -> Ended:
        """One run with a fault."""
        reset()
        fault.before()
        hook = Hook(self._place.folder, fault.at, fault.strike)
        child = Child(fault.scene.command, hook, fault.begin)
        seconds = fault.timer()
        status = child.wait(seconds, fault.meanwhile)
        if status is None:
            fault.ring(child)
            status = child.wait(None, fault.meanwhile)
        assert status is not None
        ended = child.ended(status)
        trouble = fault.trouble(ended)
        if ended.code == REFUSED and any(earlier.unsettles() for earlier in self._faults):
            trouble = trouble_with(ended, frozenset({REFUSED}))  # for what an earlier fault did
        fault.after()
        self._faults.append(fault)
        if fault.fell(ended) or trouble:
            fate: Fate = "lost" if trouble else "refused" if ended.code in (REFUSED, WRONG_USAGE) else "survived"
            said = "" if ended.code == DONE and not trouble else ended.said[-3000:]
            blow = Blow(
                fault.kind,
                ended.step if fault.lasts else ended.struck_step,
                fault.hit,
                fault.at,
                ended.code,
                said,
                fate,
                trouble,
            )
            self._trial.blows.append(blow)
        return ended

    def _go_on(self) -> None:
        """Run the command undisturbed, as often as it takes to do what it says; then look at what is there."""
        trial = self._trial
        for _ in range(_MOST_REMEDIES):
            reset()
            command = self._place.command(self._state.iterations, *self._extra)
            child = Child(command, Hook(self._place.folder))
            status = child.wait()
            assert status is not None
            ended = child.ended(status)
            trouble = trouble_with(ended, frozenset({DONE, REFUSED, WRONG_USAGE}))
            if trouble:
                trial.problems.append(f"the run after it: {trouble}: {ended.said[-3000:]}")
                return
            if ended.code == DONE:
                break
            if not self._do_what_it_says(ended.last_line):
                trial.problems.append(f"the run after it refuses, whatever is done: {ended.last_line}")
                return
        else:
            trial.problems.append(f"refuses again and again: {trial.remedies}")
            return
        outcome = in_fork(lambda: outcome_of(self._place))
        changed = self._changed.union(*(fault.changed for fault in self._faults))
        trial.problems += problems(self._place, self._state, outcome, changed)

    def _do_what_it_says(self, line: str) -> bool:
        """Do what an error asks for, or else put back what a fault changed; whether anything could be done."""
        done = next((said for remedy in _REMEDIES if (said := remedy(self, line)) is not None), None)
        if done is None:
            return False
        self._trial.remedies.append(f"{line} -> {done}")
        changed = [fault for fault in self._faults if fault.changed or fault.hit]
        for blow in self._trial.blows[-1:] if not changed else self._trial.blows:
            if blow.fate == "survived" and (not changed or blow.kind in {fault.kind for fault in changed}):
                blow.fate = "refused"
        return True

    def overwrite(self, line: str) -> str | None:
        """The output is not known any more: say that it may be written over."""
        if "--overwrite" not in line or self._extra:
            return None
        self._extra = ["--overwrite"]
        return "--overwrite"

    def train_anew(self, line: str) -> str | None:
        """The model is damaged: delete it, but not its backups."""
        if "train anew" not in line or not self._place.model.is_dir():
            return None
        for path in self._place.model.glob("*.*"):
            if path.is_file():
                path.unlink()
        if self._state.name == "more":  # else the same model comes of it
            self._changed.add(self._place.name(self._place.model / "model.safetensors"))
        return "model deleted"

    def delete(self, line: str) -> str | None:
        """A file is damaged: delete the one that is named, or move it away."""
        if not re.search(r"\b(delete|remove|move) (it|this)\b", line):
            return None
        there = [path for path in self._paths(line) if path.exists() and path != self._place.workspace]
        if not there:
            return None
        name = self._place.name(there[0])
        if there[0].is_dir():
            shutil.rmtree(there[0])
        else:
            there[0].unlink()
        self._changed.add(name)
        return f"{name} deleted"

    def _paths(self, line: str) -> list[Path]:
        """Files that an error names."""
        return [Path(word.rstrip(";:,")) for word in line.split() if word.startswith(str(self._place.folder))]

    def put_back(self, line: str) -> str | None:
        """What a fault changed is put back: the files that the error names, or if it names none, all."""
        paths = self._paths(line)
        named = [
            fault
            for fault in self._faults
            if fault.hit and any(_is_same(self._place.folder / fault.hit, path) for path in paths)
        ]
        done = _put_back(named) or _put_back(self._faults)
        return f"{', '.join(done)} put back" if done else None


def _is_same(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file, maybe by different names."""
    return one == other or (one.exists() and other.exists() and one.samefile(other))


def _put_back(faults: list[Fault]) -> list[str]:
    return [fault.hit for fault in reversed(faults) if fault.put_back()]


_REMEDIES: Final[tuple[Callable[[_Run, str], str | None], ...]] = (
    _Run.overwrite,
    _Run.train_anew,
    _Run.delete,
    _Run.put_back,
)
