"""What `openapi.json` says, held against what the studio answers."""

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator

from studio_http import Answer, filled

NAMES = {"frame": "1", "width": "64", "kind": "result", "n": "1", "w": "64", "bytes": "10"}
"""Values of words of addresses, where a text will not do."""


def operations(described: dict[str, Any], method: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Paths and what is said of them."""
    for path, methods in described["paths"].items():
        if method in methods:
            yield path, methods[method]


def address(path: str, operation: dict[str, Any], **values: str) -> str:
    """A path with values for its words, and for those that a query must have."""
    needed = [p["name"] for p in operation.get("parameters", []) if p["in"] == "query" and p["required"]]
    query = "&".join(f"{name}={values.get(name, NAMES.get(name, 'x'))}" for name in needed)
    return filled(path, **values) + (f"?{query}" if query else "")


def problems(described: dict[str, Any], operation: dict[str, Any], answer: Answer) -> list[str]:
    """What is otherwise than the description says; empty if all is as it says."""
    told = operation["responses"].get(str(answer.status))
    if told is None:
        return [f"status {answer.status} is not described"]
    media = answer.headers["content-type"].partition(";")[0]
    known = {kind for kind in told["content"] if kind == media or kind == f"{media.partition('/')[0]}/*"}
    if not known:
        return [f"{media} is not described for status {answer.status}"]
    if media != "application/json":
        return []
    schema = {**told["content"][media]["schema"], "components": described["components"]}
    return [
        f"{error.json_path}: {error.message[:200]}" for error in Draft202012Validator(schema).iter_errors(answer.json)
    ]
