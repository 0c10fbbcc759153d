"""One process that reads changed files, with little memory, and says what became of each."""

import json
import os
import random
import resource
import shutil
import sys
import time
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fuzz.mutate import BINARY_TOKENS, mutated
from fuzz.target import Seed, Target
from fuzz.targets import target_named
from fuzz.watch import Watch
from peak import peak_mebibytes

_ADDRESSES: Final = 8 << 30
"""Bytes of address space: a reader that runs away is stopped before the machine is."""
_MOST_SAID: Final = 3000


def input_of(target: Target, seeds: Sequence[Seed], seed: int, number: int) -> bytes:
    """The changed file of a number; the first ones are as they were."""
    if number < len(seeds):
        return seeds[number].wrap(seeds[number].inner)
    rng = random.Random(f"{target.name} {seed} {number}")
    drawn = rng.choice(seeds)
    outside = rng.random() < 0.25 and drawn.wrap is not bytes
    inner = drawn.inner
    odd = drawn.change is not None and rng.random() < 0.6
    if odd and drawn.change is not None:
        inner, outside = drawn.change(inner, rng), False
    if not outside and (not odd or rng.random() < 0.1):
        inner = mutated(inner, rng, target.tokens, [one.inner for one in seeds])
    data = drawn.wrap(inner)
    if outside or (drawn.wrap is not bytes and rng.random() < 0.1):
        data = mutated(data, rng, BINARY_TOKENS, [one.wrap(one.inner) for one in seeds])
    return data


def tried(target: Target, data: bytes, folder: Path, watch: Watch | None = None) -> tuple[str, str]:
    """What becomes of an input: read, refused or crashed, and in which words."""
    from lookalike.errors import LookalikeError

    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if watch is not None:
        watch.seen.clear()
        watch.on = True
    try:
        target.attack(data, folder)
        outcome, said = "read", ""
    except LookalikeError as exc:
        outcome, said = "refused", str(exc)
    except BaseException:
        outcome, said = "crashed", traceback.format_exc()[-_MOST_SAID:]
    finally:
        if watch is not None:
            watch.on = False
    if watch is not None and watch.seen:
        return "crashed", "; ".join(watch.seen)
    if outcome == "refused" and "\n" in said.translate(dict.fromkeys((11, 12, 13, 28, 29, 30, 133), "\n")):
        return "crashed", f"more than one line: {said!r}"
    return outcome, said


def main() -> None:
    """`child SEED FOLDER TARGET:FIRST:LAST ...`: a line of JSON for each input."""
    seed, place = int(sys.argv[1]), Path(sys.argv[2])
    warnings.simplefilter("error")
    place.mkdir(parents=True, exist_ok=True)
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES, _ADDRESSES))
    watch = Watch(place)
    with out:
        for job in sys.argv[3:]:
            name, first, last = job.rsplit(":", 2)
            target = target_named(name)
            seeds = target.seeds()
            for one in seeds:  # what is imported late is imported now
                tried(target, one.wrap(one.inner), place / "try")
            for number in range(int(first), int(last)):
                out.write(json.dumps(_told(target, seeds, seed, number, place / "try", watch)) + "\n")
                out.flush()


def _told(
    target: Target, seeds: Sequence[Seed], seed: int, number: int, folder: Path, watch: Watch
) -> dict[str, object]:
    data = input_of(target, seeds, seed, number)
    began = time.perf_counter()
    outcome, said = tried(target, data, folder, watch)
    return {"outcome": outcome, "said": said, "seconds": time.perf_counter() - began, "mib": peak_mebibytes()}


if __name__ == "__main__":
    main()
