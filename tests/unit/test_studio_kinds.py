"""The jobs that a page may ask for: every option as a page sends it is a word that the command line knows."""

import types
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest

from lookalike.cli import build_app
from lookalike.errors import ConfigError, LookalikeError
from lookalike.options import Options
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.web.studio.forms import forms
from lookalike.web.studio.kinds import KINDS, PATHS, SIDES, arguments, checked, stay_inside

CASES = [(kind, control) for kind, controls in forms().items() for control in controls]
TOGETHER: dict[tuple[str, str], dict[str, Any]] = {
    ("extract", "boxes"): {"detector": "file"},
}
"""Options that make sense with others only."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with videos, or what passes for such."""
    root = tmp_path_factory.mktemp("root")
    workspace = Workspace.create(root / "my swap")
    for side in SIDES:
        (root / f"{side}.mp4").write_bytes(b"no video")
        workspace.set_video(side, root / f"{side}.mp4")
    (root / "file.json").touch()
    return workspace.folder


def values(control: dict[str, Any], folder: Path) -> list[Any]:
    """What a page may send for a control, other than its default: for numbers the limits, for choices all."""
    if control["kind"] == "flag":
        return [not control["default"]]
    if control["kind"] == "choice":
        return [choice for choice in control["choices"] if choice != control["default"]]
    if control["kind"] in ("whole", "number"):
        least, most, step = control["least"], control["most"], control["step"] or 1
        inner = [least + step if least is not None else 7]
        if most is not None:
            inner = [(least + most) / 2 if control["kind"] == "number" else most - step]
        return [value for value in inner if value != control["default"]]
    named = {"preset": "slow", "people": "0=alice,1=bob", "archi": "df-ud", "device": "cpu", "person": "1"}
    if control["name"] in PATHS and control["name"] != "person":
        return [str(folder.parent / "file.json")]
    return [named.get(control["name"], "abc")]


def words(kind: str, folder: Path, options: dict[str, Any]) -> list[str]:
    """The words of a command with what it cannot do without."""
    side: Side | None = "dst" if KINDS[kind].side else None
    return arguments(kind, folder, side, required(kind) | options)


def required(kind: str) -> dict[str, Any]:
    """Options without a default."""
    needed = {name for form in KINDS[kind].forms for name, of in form.model_fields.items() if of.is_required()}
    return {one["name"]: (one["least"] or 1) + 4 for one in forms()[kind] if one["name"] in needed}


def parsed(given: list[str]) -> dict[str, Any]:
    """What the real command line makes of words, the options of a form among the others."""
    _, bound, _ = build_app().parse_args(given, exit_on_error=False, print_error=False)
    found: dict[str, Any] = {}
    for name, value in bound.arguments.items():
        found |= (
            value.model_dump(mode="json", include=value.model_fields_set)
            if isinstance(value, Options)
            else {name: value}
        )
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_job_without_options_is_a_command(folder: Path, kind: str) -> None:
    found = parsed(words(kind, folder, {}))
    assert folder in found.values()
    assert found.get("side") == ("dst" if KINDS[kind].side else None)


@pytest.mark.parametrize(
    ("kind", "control"), CASES, ids=lambda value: value if isinstance(value, str) else value["name"]
)
def test_every_option_reaches_its_command(folder: Path, kind: str, control: dict[str, Any]) -> None:
    name = control["name"]
    for value in values(control, folder):
        if (kind, name, value) == ("extract", "detector", "file"):
            continue  # with boxes only, below
        given = words(kind, folder, TOGETHER.get((kind, name), {}) | {name: value})
        found = parsed(given)
        assert name in found, given
        assert found[name] == value or str(found[name]) == str(value), given


@pytest.mark.parametrize(
    ("kind", "control"),
    [(kind, control) for kind, control in CASES if control["kind"] == "flag"],
    ids=lambda value: value if isinstance(value, str) else value["name"],
)  # fmt: skip
def test_flags_are_turned_on_and_off(folder: Path, kind: str, control: dict[str, Any]) -> None:
    name = control["name"]
    assert parsed(words(kind, folder, {name: True}))[name] is True
    assert not parsed(words(kind, folder, {name: False})).get(name, control["default"])


def test_all_options_together(folder: Path) -> None:
    for kind, controls in forms().items():
        chosen = {
            one["name"]: values(one, folder)[:1] for one in controls if one["kind"] in ("flag", "whole", "number")
        }
        options = {name: given[0] for name, given in chosen.items() if given}
        if "crf" in options:
            options |= {"lossless": False, "bitrate": None}
        found = parsed(words(kind, folder, options))
        for name, value in options.items():
            assert value is None or found.get(name, value) == value, (kind, name)


def test_a_swap_works_in_its_workspace(folder: Path) -> None:
    found = parsed(arguments("swap", folder, None, {"preset": "balanced", "minutes": 1.5}))
    assert found["src"] == folder / "data_src.mp4"
    assert found["dst"] == folder / "data_dst.mp4"
    assert found["output"] == folder / "result.mp4"
    assert found["workspace"] == folder
    empty = Workspace.create(folder.parent / "empty")
    with pytest.raises(LookalikeError, match="has no src video"):
        arguments("swap", empty.folder, None, {})


def test_kinds_and_sides_that_are_none(folder: Path) -> None:
    for kind, side, problem in (
        ("rm", None, "there is no job 'rm'"),
        ("x" * 500, None, "there is no job 'x{40}'"),
        ("extract", None, "extract is about src or dst"),
        ("merge", "src", "merge is not about one side"),
    ):
        with pytest.raises(ConfigError, match=problem):
            arguments(kind, folder, side, {})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "options",
    [
        {"erode": float("nan")}, {"erode": float("inf")}, {"erode": 10**400}, {"crf": 10**400}, {"people": "a" * 1001},
        {"people": "a\0b"}, {"people": "a\nb"}, {"people": "\x1b[2J"}, {"erode": 201}, {"erode": "much"}, {"erode": []},
        {"mode": "other"}, {"mode": {"a": 1}}, {"name": "../x"}, {"name": ".."}, {"name": "a/b"}, {"name": "-x"},
        {"name": "x\n"}, {"name": ""}, {"no_such": 1}, {"no_such": None}, {"--output": "/tmp/x"}, {"": 1},
        {"output": "/tmp/x.mp4"}, {"overwrite": True}, {"config": "/tmp/x.toml"}, {"codec": "h264", "crf": 99},
        {"mask_network": "/etc/passwd"}, {"mask_network": "../../x.onnx"}, {"mask_network": "~/x.onnx"},
    ],
    ids=str,
)  # fmt: skip
def test_options_that_cannot_be_used(folder: Path, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as error:
        arguments("merge", folder, None, options)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 1500


def test_no_value_becomes_an_option_of_its_own(folder: Path) -> None:
    for value in ("--json-lines", "--output=/tmp/x", "-o", "--", "$(id)", "; id", "a b", "=", "ä"):
        given = arguments("merge", folder, None, {"people": value, "device": value})
        assert given[0] == "merge"
        assert all(word.startswith(("--people=", "--device=")) for word in given[2:])
        assert parsed(given)["people"] == value


def test_files_outside_are_not_named(folder: Path, tmp_path: Path) -> None:
    root = folder.parent
    (root / "link.onnx").symlink_to(tmp_path / "outside.onnx")
    for path in (root / "link.onnx", root / ".." / "x", tmp_path, "/", "\u202e/etc"):
        with pytest.raises(ConfigError, match="is outside of"):
            stay_inside(root, {"network": str(path)})
    stay_inside(root, {"network": str(root / "a" / "b.onnx"), "person": "3", "boxes": None})
    with pytest.raises(ConfigError, match=r"person: .* is outside of"):
        stay_inside(root, {"person": "/home/somebody.jpg"})


def test_every_option_that_names_a_file_is_known_to_do_so() -> None:
    def has_path(annotation: Any) -> bool:
        if get_origin(annotation) is not None or isinstance(annotation, types.UnionType):
            return any(has_path(one) for one in get_args(annotation))
        return isinstance(annotation, type) and issubclass(annotation, Path)

    named = {
        name
        for kind in KINDS.values()
        for form in kind.forms
        for name, of in form.model_fields.items()
        if has_path(of.annotation)
    }
    assert named <= set(PATHS)
    assert named


def test_only_what_was_given_is_passed_on() -> None:
    given = checked(KINDS["merge"].forms, {"erode": 10, "mode": None})
    assert given == {"erode": 10}  # the default, but said: merge.toml may say otherwise
