"""Controls told from the options classes: every option once, of the right kind, with its limits."""

import json
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import Field, ValidationError

from lookalike.models.choice import ModelChoice
from lookalike.options import Options
from lookalike.web.studio.forms import controls, forms
from lookalike.web.studio.kinds import KINDS

FORMS = sorted({form for kind in KINDS.values() for form in kind.forms}, key=lambda form: form.__name__)


class Sample(Options):
    """Of everything one."""

    flag: bool = True
    """A flag."""
    whole: int = Field(3, ge=1, le=9, multiple_of=2)
    number: float = Field(0.5, gt=0, lt=1)
    free: float = 0
    maybe: int | None = Field(None, ge=0)
    text: str | None = None
    choice: Literal["a", "b"] = "a"
    numbered: Literal[1, 2] = 1
    chosen: Literal["x"] | None = None
    mixed: Literal["x", "y"] | Literal["z"] | None = None
    needed: int


def test_kinds_of_controls() -> None:
    found = {one.pop("name"): one for one in controls(Sample)}
    plain = {"help": "", "default": None, "optional": False}
    none = {"least": None, "most": None, "step": None}
    assert found == {
        "flag": plain | none | {"help": "A flag.", "kind": "flag", "default": True},
        "whole": plain | {"kind": "whole", "default": 3, "least": 1, "most": 9, "step": 2},
        "number": plain | none | {"kind": "number", "default": 0.5, "least": 0, "most": 1},
        "free": plain | none | {"kind": "number", "default": 0},
        "maybe": plain | none | {"kind": "whole", "optional": True, "least": 0},
        "text": plain | none | {"kind": "text", "optional": True},
        "choice": plain | {"kind": "choice", "choices": ["a", "b"], "default": "a"},
        "numbered": plain | {"kind": "choice", "choices": [1, 2], "default": 1},
        "chosen": plain | {"kind": "choice", "choices": ["x"], "optional": True},
        "mixed": plain | {"kind": "choice", "choices": ["x", "y", "z"], "optional": True},
        "needed": plain | none | {"kind": "whole"},
    }


def test_every_kind_of_job_has_a_form() -> None:
    assert forms().keys() == KINDS.keys()
    json.dumps(forms(), allow_nan=False)
    for name, kind in KINDS.items():
        listed = [one["name"] for one in forms()[name]]
        assert listed == [field for form in kind.forms for field in form.model_fields], name
        assert len(listed) == len(set(listed)), name


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_every_option_says_what_it_is(form: type[Options]) -> None:
    for one in controls(form):
        field = form.model_fields[one["name"]]
        assert one["help"], one["name"]
        assert one["default"] == (None if field.is_required() else field.get_default()), one["name"]
        assert one["kind"] == kind_of(field.annotation), one["name"]
        assert one["optional"] == (type(None) in get_args(field.annotation)), one["name"]


def kind_of(annotation: Any) -> str:
    """As a person would say it."""
    ways = [way for way in get_args(annotation) if way is not type(None)] or [annotation]
    first = ways[0] if get_origin(annotation) is not Literal else annotation
    first = get_args(first)[0] if hasattr(first, "__metadata__") else first
    if get_origin(first) is Literal:
        return "choice"
    return {bool: "flag", int: "whole", float: "number"}.get(first, "text")


@pytest.mark.parametrize("form", [form for form in FORMS if form is not ModelChoice], ids=lambda form: form.__name__)
def test_limits_are_those_that_are_checked(form: type[Options]) -> None:
    """What is a little inside is taken, what is a little beyond never."""
    needed = {name: 9 for name, of in form.model_fields.items() if of.is_required()}
    for one in controls(form):
        if one["kind"] not in ("whole", "number"):
            continue
        for limit, way in ((one["least"], -1), (one["most"], 1)):
            if limit is None:
                continue
            step = 1 if one["kind"] == "whole" else 0.01
            assert is_taken(form, needed | {one["name"]: limit - way * step}), one["name"]
            assert not is_taken(form, needed | {one["name"]: limit + way * step}), one["name"]


def is_taken(form: type[Options], values: dict[str, Any]) -> bool:
    try:
        form.model_validate(values)
    except ValidationError as exc:
        return not any(error["loc"] for error in exc.errors())  # options that do not go together have no place
    return True


def test_sizes_of_a_model_have_the_widest_limits_of_all_architectures() -> None:
    found = {one["name"]: one for one in controls(ModelChoice)}
    assert (found["resolution"]["least"], found["resolution"]["most"], found["resolution"]["step"]) == (32, 640, 16)
    assert (found["ae_dims"]["least"], found["ae_dims"]["most"]) == (16, 2048)
    assert (found["e_ch_dims"]["least"], found["e_ch_dims"]["most"]) == (2, 85)
    assert found["guide"]["kind"] == "flag"
    assert "xseg" in found["model"]["choices"]
    assert all(one["optional"] for one in found.values())
