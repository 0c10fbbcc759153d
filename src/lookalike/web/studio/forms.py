"""Options as a page shows them: one control each, told from the options classes themselves."""

from functools import cache
from typing import Any

from lookalike.models.choice import ModelChoice
from lookalike.models.config import MODELS
from lookalike.options import Options
from lookalike.web.studio.kinds import KINDS


@cache
def forms() -> dict[str, list[dict[str, Any]]]:
    """The controls of every kind of job, in the order of its options.

    A control has `name`, `help`, `kind` (flag, choice, whole, number, text), `default`, and where they are known
    `choices`, or `least`, `most` and `step`; `optional` says that it may be left empty.
    """
    return {name: [one for form in kind.forms for one in controls(form)] for name, kind in KINDS.items()}


def controls(form: type[Options]) -> list[dict[str, Any]]:
    """The controls of one class."""
    schema = form.model_json_schema()
    made = [_control(name, of, schema.get("$defs", {})) for name, of in schema["properties"].items()]
    return [one | _widest(one["name"]) for one in made] if form is ModelChoice else made


def _widest(name: str) -> dict[str, Any]:
    """What the architectures allow for a size: a choice of any of them has no limits of its own."""
    owners = [control for kind in MODELS.values() for control in controls(kind) if control["name"] == name]
    numbers = [owner for owner in owners if owner["kind"] in ("whole", "number")]
    if not numbers:
        return {}
    least, most, step = ([owner[key] for owner in numbers] for key in ("least", "most", "step"))
    return {
        "least": None if None in least else min(least),
        "most": None if None in most else max(most),
        "step": None if None in step else min(step),
    }


def _control(name: str, of: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    ways = [_resolved(way, definitions) for way in of.get("anyOf", [of])]
    kinds = [way for way in ways if way.get("type") != "null"]
    found: dict[str, Any] = {"name": name, "help": of.get("description", ""), "default": of.get("default")}
    found["optional"] = len(kinds) < len(ways)
    choices = [choice for way in kinds for choice in way.get("enum", [way["const"]] if "const" in way else [])]
    first = kinds[0]
    if choices:
        return found | {"kind": "choice", "choices": choices}
    kind = {"boolean": "flag", "integer": "whole", "number": "number"}.get(first.get("type", ""), "text")
    found |= {"kind": kind, "least": first.get("minimum", first.get("exclusiveMinimum"))}
    return found | {"most": first.get("maximum", first.get("exclusiveMaximum")), "step": first.get("multipleOf")}


def _resolved(way: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    reference = way.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = definitions.get(reference, way)
    return found
