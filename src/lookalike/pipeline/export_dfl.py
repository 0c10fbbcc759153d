"""A model of a workspace as the files that DeepFaceLab 2 has of one."""

from collections.abc import Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import Any, Final

from lookalike.errors import ExportError
from lookalike.files import replacing
from lookalike.interchange.dfl_folder import DflKind
from lookalike.interchange.dfl_layout import xseg_variables
from lookalike.interchange.dfl_network import moment_arrays, part_arrays, variables_of
from lookalike.interchange.dfl_sizes import face_type_there
from lookalike.interchange.pickle_writer import write_to
from lookalike.models.checkpoint import load_checkpoint
from lookalike.models.config import AmpConfig, ModelConfig, SaehdConfig
from lookalike.models.dfl_xseg import load_dfl_xseg
from lookalike.options import geometry_of
from lookalike.pipeline.dfl_options import options_there
from lookalike.pipeline.import_model import XSEG_FILE
from lookalike.pipeline.models import model_name
from lookalike.pipeline.workspace import Workspace
from lookalike.training.curves import Curves
from lookalike.types import Event, Message, Progress

_STEP: Final = "export"


def export_dfl_model(workspace: Workspace, name: str | None, folder: Path) -> Iterator[Event]:
    """Write a model so that DeepFaceLab 2 goes on with it: weights, optimizer, options and losses; no faces.

    Weights are those that merging draws with. An imported mask network is written back, too, by its name.

    Args:
        name: of the model; see `model_name`.
        folder: where the files go, such as DeepFaceLab's `workspace/model`; files of the same names are replaced.

    Raises:
        ExportError: DeepFaceLab 2 has no such network, or no such face type.
        CheckpointError: there is no such model, or it cannot be read. StorageError: the disk is full.
    """
    if name is not None and (workspace.model(name) / XSEG_FILE).is_file():
        yield from _export_xseg(workspace.model(name) / XSEG_FILE, folder)
        return
    name = model_name(workspace, name)
    checkpoint = load_checkpoint(workspace.model(name))
    state = checkpoint.state
    kind = _kind_there(name, state.model)
    options = options_there(kind, state.model, state.options)
    title = f"{name}_{kind}"
    variables = variables_of(state.model)
    for done, (part, arrays) in enumerate(part_arrays(variables, checkpoint.weights), 1):
        _write(folder / f"{title}_{part}.npy", arrays)
        yield Progress(_STEP, done, 0, "files", part)
    remembers = state.options.get("optimizer") == "adabelief-dfl2"
    moments = moment_arrays(state.model, checkpoint.beside) if remembers else {}
    if moments:
        _write(folder / f"{title}_src_dst_opt.npy", moments)
    data = {"iter": state.step, "options": options, "loss_history": _losses(workspace.model(name), state.step)}
    _write(folder / f"{title}_data.dat", data | {"sample_for_preview": None, "choosed_gpu_indexes": None})
    yield Message(_STEP, f"wrote {title} at iteration {state.step} to {folder}")
    if _is_older(state.model):
        yield Message(
            _STEP,
            f"DeepFaceLab 2 cuts {state.model.face_type} faces out a little differently, by some pixels in 256; "
            "train it on there before it is merged",
        )
    if not moments:
        yield Message(_STEP, "its optimizer begins anew there, as it was trained with another one than DeepFaceLab's")
    if state.step == 0:
        yield Message(_STEP, "it was never trained, so that DeepFaceLab asks for its options again; answer them alike")


def _kind_there(name: str, config: ModelConfig) -> DflKind:
    if not isinstance(config, SaehdConfig | AmpConfig):
        raise ExportError(
            f"the model {name} is {config.model}, which DeepFaceLab 2 has not; only saehd and amp can be written for it"
        )
    if face_type_there(config.face_type) is None or (_is_older(config) and config.face_type == "head"):
        raise ExportError(
            f"the model {name} sees {config.face_type} faces of the geometry {_geometry(config)}, which DeepFaceLab 2 "
            "has not; train one with --geometry dfl2 and another --face-type to write it"
        )
    return "AMP" if isinstance(config, AmpConfig) else "SAEHD"


def _is_older(config: ModelConfig) -> bool:
    return _geometry(config) == "2019"


def _geometry(config: ModelConfig) -> str:
    return geometry_of(config.face_type, config.geometry)


def _export_xseg(path: Path, folder: Path) -> Iterator[Event]:
    network, facts = load_dfl_xseg(path)
    arrays: Mapping[str, Any] = dict(part_arrays(xseg_variables(), network.state_dict()))["256"]
    _write(folder / "XSeg_256.npy", arrays)
    kinds: Any = facts.get("face_type", "whole")
    step = facts.get("step", "0")
    iteration = int(step) if step.isdecimal() and len(step) < 12 else 0
    data = {"iter": iteration, "options": {"face_type": face_type_there(kinds)}, "loss_history": []}
    _write(folder / "XSeg_data.dat", data | {"sample_for_preview": None, "choosed_gpu_indexes": None})
    yield Message(_STEP, f"wrote XSeg at iteration {iteration} to {folder}; its optimizer begins anew there")


def _losses(folder: Path, step: int) -> list[list[float]]:
    """src's and dst's loss of the last iterations, an entry each."""
    curves = Curves(folder / "log.jsonl")
    curves.update()
    src, dst = curves.values("loss_src").tolist(), curves.values("loss_dst").tolist()
    rows = zip(curves.iterations.tolist(), src, dst, strict=True)
    found = [[one, other] for iteration, one, other in rows if iteration <= step and isfinite(one) and isfinite(other)]
    return found[max(0, len(found) - step) :]


def _write(path: Path, value: Any) -> None:
    with replacing(path) as temporary, temporary.open("wb") as file:
        write_to(file, value, 4)
