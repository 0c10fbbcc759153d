"""Inputs that atheris finds by which lines they reach; where its wheel is installed."""

import sys
import tempfile
from pathlib import Path

from fuzz.child import tried
from fuzz.mutate import mutated
from fuzz.target import Target


def follow(target: Target, seconds: int) -> None:
    """Look for crashes for so many seconds; the process ends with the first one, and keeps its input."""
    import random

    import atheris

    seeds = target.seeds()
    folder = Path(tempfile.mkdtemp(prefix="lookalike-atheris-"))
    corpus = folder / "corpus"
    corpus.mkdir()
    for number, one in enumerate(seeds):
        (corpus / str(number)).write_bytes(bytes([number % 256]) + one.inner)

    def attack(data: bytes) -> None:
        drawn = seeds[data[0] % len(seeds)] if data else seeds[0]
        outcome, said = tried(target, drawn.wrap(data[1:]), folder / "try")
        if outcome == "crashed":
            raise RuntimeError(said)

    def change(data: bytes, most: int, seed: int) -> bytes:
        rng = random.Random(seed)
        if rng.random() < 0.5:
            return bytes(atheris.Mutate(data, most))
        return data[:1] + mutated(data[1:], rng, target.tokens, [one.inner for one in seeds])[: most - 1]

    atheris.instrument_all()
    arguments = [sys.argv[0], f"-max_total_time={seconds}", "-max_len=65536", "-timeout=30", str(corpus)]
    atheris.Setup(arguments, attack, custom_mutator=change)
    atheris.Fuzz()
