"""Options as a page shows them: one control each, told from the options classes themselves."""

from typing import Any

from lookalike.options import Options
from lookalike.web.studio.kinds import KINDS


def forms() -> dict[str, list[dict[str, Any]]]:
    """The controls of every kind of job, in the order of its options.

    A control has `name`, `help`, `kind` (flag, choice, whole, number, text), `default`, and where they are known
    `choices`, `least`, `most`; `optional` says that it may be left empty.
    """
    return {name: [one for form in kind.forms for one in controls(form)] for name, kind in KINDS.items()}


def controls(form: type[Options]) -> list[dict[str, Any]]:
    """The controls of one class."""
    schema = form.model_json_schema()
    return [_control(name, of, schema.get("$defs", {})) for name, of in schema["properties"].items()]


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
    return found | {"most": first.get("maximum", first.get("exclusiveMaximum"))}


def _resolved(way: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    reference = way.get("$ref", "").rpartition("/")[2]
    found: dict[str, Any] = definitions.get(reference, way)
    return found
