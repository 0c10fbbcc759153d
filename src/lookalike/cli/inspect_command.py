"""The command `inspect`."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from lookalike.cli.commands import _show

if TYPE_CHECKING:
    from lookalike.types import Message


def inspect(
    file: Annotated[Path, Parameter(help="A file of DeepFaceLab or faceswap, or a folder of faces or models.")],
    *,
    json: Annotated[bool, Parameter(negative="", help="Print one JSON object in the place of lines.")] = False,
) -> None:
    """Say what a file of another tool holds: kind, face type, counts, options, layers. Nothing in it is run."""
    from lookalike.pipeline.inspect import inspect as look

    found = look(file)
    if json:
        from json import dumps

        print(dumps({"file": str(found.path), "kind": found.kind, **found.facts}, indent=2))  # noqa: T201
    else:
        _show(_lines({"kind": found.kind, **found.facts}))


def _lines(facts: dict[str, Any]) -> "Iterator[Message]":
    """One line a fact; what has parts, a line a part."""
    from lookalike.types import Message

    for name, value in facts.items():
        if isinstance(value, dict):
            for part, held in value.items():
                if isinstance(held, dict):
                    yield Message(name, part)
                    yield from _lines({f"  {key}": inner for key, inner in held.items()})
                else:
                    yield Message(name, f"{part}: {held}")
        else:
            yield Message(name, ", ".join(map(str, value)) if isinstance(value, list) else str(value))
