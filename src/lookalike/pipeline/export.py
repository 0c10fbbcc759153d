"""A model of a workspace as a file for other programs."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from lookalike import __version__
from lookalike.errors import ConfigError, WorkspaceError
from lookalike.files import replacing
from lookalike.models.checkpoint import PARTS, TrainState, load_state
from lookalike.models.config import ModelConfig
from lookalike.options import geometry_of
from lookalike.pipeline.config import TrustOptions
from lookalike.pipeline.consent import ask_consent
from lookalike.pipeline.export_options import ExportOptions, Target
from lookalike.pipeline.models import model_name
from lookalike.pipeline.result import allow_output, noting
from lookalike.pipeline.workspace import Workspace
from lookalike.provenance.claim import hash_of
from lookalike.provenance.marks import network_words
from lookalike.types import Event, Message

STEP: Final = "export_model_"
"""Notes of what was exported begin with it; then come the target and the model's name."""
_FORMAT: Final = "1"
"""Of the metadata."""


def export(
    workspace: Workspace,
    to: Target,
    options: ExportOptions | None = None,
    *,
    output: Path | None = None,
    name: str | None = None,
    overwrite: bool = False,
) -> Iterator[Event]:
    """Write a model for players (dfm), as plain ONNX (onnx), or as the folder of a model of DeepFaceLab 2 (dfl).

    Args:
        output: file, or folder for dfl; the model's name with `.dfm`, `.onnx` or `.dfl` in the workspace if left out.
        name: of the model; see model_name.
        overwrite: write over what is no export of this workspace.

    Raises:
        CheckpointError: no such model, or unreadable. ExportError: it cannot be said in that format.
        ExtraMissingError: the packages for ONNX are not installed.
        ConsentError: records of consent are required, and one is missing, over, or for other material.
        ConfigError: options that do not go together. WorkspaceError: the output belongs to somebody.
        StorageError: the disk is full.
    """
    options = options or ExportOptions()
    _check(to, options, output)
    trust = TrustOptions(require_consent=options.require_consent)
    if to == "dfl":
        yield from ask_consent(workspace, trust, datetime.now(UTC))
        yield from _export_dfl(workspace, name, output, overwrite)
        return
    from lookalike.interchange.dfm import write_network  # costs torch

    name = model_name(workspace, name)
    output = (output or workspace.folder / f"{name}.{to}").resolve()
    step = f"{STEP}{to}_{name}"
    allow_output(workspace, output, overwrite, [step])
    consents = yield from ask_consent(workspace, trust, datetime.now(UTC))
    folder = workspace.model(name)
    state = load_state(folder)
    digest = hash_of([folder / PARTS[0]])
    notes = notes_of(state, digest, consents, options) | {"channels": "bgr" if to == "dfm" else "rgb"}
    made = write_network(folder, to, precision=options.precision, opset=options.opset, notes=notes)
    with replacing(output) as temporary:
        temporary.write_bytes(made.data)
        facts = {"model": name, "sha256": digest, "iterations": state.step}
        noting(workspace, step, output, lambda _: None, lambda: facts)(temporary)
    yield Message("export", f"wrote {name}, {_said(state)}, to {output}: {len(made.data) / 1e6:.1f} MB")
    yield Message("export", f"in ONNX Runtime it draws what the model does, within {made.error:.1e} of white")
    yield from _warnings(to, state, options, made.rounding)


def _warnings(to: Target, state: TrainState, options: ExportOptions, rounding: float) -> Iterator[Event]:
    """Where the file differs from what merging draws, and from what a player expects."""
    if options.precision == "float16":
        yield Message("export", f"weights rounded to float16 change what is drawn by at most {rounding:.1e}")
    if state.precision == "bfloat16":
        yield Message("export", "merging draws with it in bfloat16, the file in float32, which differs a little")
    if to == "dfm" and state.model.face_type != "whole":
        yield Message(
            "export",
            f"it sees {_crop(state.model)} faces, which a .dfm cannot tell a player: FaceFusion takes every one for "
            "whole; see docs/export.md",
        )


def notes_of(state: TrainState, digest: str, consents: list[str], options: ExportOptions) -> dict[str, str]:
    """What a file's metadata say of a model.

    Args:
        state: of its training.
        digest: SHA-256 of its file of weights, as credentials of results name it.
        consents: hashes of the records that hold.
        options: of the export.
    """
    config = state.model
    sizes = config.model_dump(mode="json", exclude={"model", "resolution", "face_type", "geometry"})
    facts = {
        "format": _FORMAT,
        "version": __version__,
        "ai_generated": network_words(__version__),
        "model": config.model,
        "resolution": config.resolution,
        "face_type": config.face_type,
        "geometry": geometry_of(config.face_type, config.geometry),
        "sizes": " ".join(f"{name}={value}" for name, value in sizes.items()),
        "iterations": state.step,
        "weights_sha256": digest,
        "precision": options.precision,
        "licence": options.licence or "not stated",
        "consents": ",".join(consents) or "none on record",
    }
    return {f"lookalike.{name}": str(value) for name, value in facts.items()}


def _check(to: Target, options: ExportOptions, output: Path | None) -> None:
    foreign = sorted(options.model_fields_set & {"precision", "opset", "licence"})
    if to == "dfl" and foreign:
        raise ConfigError(f"--{foreign[0]} is for --to dfm and --to onnx; DeepFaceLab's files have no place for it")
    if to != "dfl" and output is not None and output.suffix.lower() != f".{to}":
        raise ConfigError(f"{output} does not end in .{to}, by which programs know such a file; name it so")


def _export_dfl(workspace: Workspace, name: str | None, output: Path | None, overwrite: bool) -> Iterator[Event]:
    from lookalike.pipeline.export_dfl import export_dfl_model

    folder = (output or workspace.folder / f"{name or model_name(workspace, None)}.dfl").resolve()
    step = f"{STEP}dfl_{folder.name}"
    taken = folder.is_file() or (folder.is_dir() and any(folder.iterdir()))
    if taken and not overwrite and workspace.done(step).get("output") != str(folder):
        raise WorkspaceError(
            f"{folder} exists already and is no export of {workspace.folder}; choose another name, or --overwrite"
        )
    workspace.note(step, output=str(folder))  # before: a killed run must find its own files known
    yield from export_dfl_model(workspace, name, folder)


def _said(state: TrainState) -> str:
    config = state.model
    size = f"{config.resolution}x{config.resolution}"
    return f"{config.model} of {state.step} iterations, {size}, {_crop(config)} faces"


def _crop(config: ModelConfig) -> str:
    return f"{config.face_type} ({geometry_of(config.face_type, config.geometry)})"
