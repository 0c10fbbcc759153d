"""Training steps: ours against a plain one, and against what the machine can do.

For each network, on the same faces and in turns: (a) a plain float32 step whose faces are augmented by OpenCV in worker
processes; (b) ours. Beside them (c) the rates of large matrix products in float32 and bfloat16, which are the ceilings.
"""

import argparse
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from lookalike.models.autoencoder import Df
from lookalike.models.build import build_model, parameter_count
from lookalike.models.config import ModelConfig, model_config
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.demo import draw_clip
from lookalike.pipeline.extract import extract
from lookalike.pipeline.workspace import Side, Workspace
from lookalike.sample import Role, load_portraits
from lookalike.training.batches import Sources, make_sources, step_batches
from lookalike.training.config import PRESETS, TrainConfig, beginning, changed_options, preset_options
from lookalike.training.data import load_person
from lookalike.training.session import Session, open_session
from lookalike.training.status import used_memory
from lookalike.training.step import train_step
from measure import arguments, finish
from plain_training import PlainStep, plain_batches

_FRAMES = 48
_SAEHD = {"model": "saehd", "archi": "df", "resolution": 128}


def networks() -> dict[str, tuple[ModelConfig, TrainConfig]]:
    """The networks that are measured, with their options."""
    return {
        "tutorial": (PRESETS["tutorial"][0], preset_options("tutorial")),
        "saehd df 128": (model_config(_SAEHD), changed_options(beginning("saehd"), {"batch_size": 8})),
        "quick": (PRESETS["quick"][0], preset_options("quick")),
    }


def facesets(folder: Path) -> Workspace:
    """Faces of the demo's two portraits."""
    workspace = Workspace.create(folder / "ws")
    roles: tuple[Role, Role] = ("src", "dst")
    for role, portrait in zip(roles, load_portraits(), strict=True):
        clip = folder / f"{role}.mp4"
        for _ in draw_clip(portrait, role, clip, _FRAMES):
            pass
        side: Side = role
        workspace.set_video(side, clip)
        for _ in extract(workspace, side, ExtractConfig()):
            pass
    return workspace


def ceiling(dtype: torch.dtype, side: int = 4096, repeats: int = 6) -> float:
    """Most floating point operations a second of a product of two square matrices."""
    a, b = (torch.randn(side, side).to(dtype) for _ in range(2))
    best = 0.0
    for _ in range(repeats):
        start = time.perf_counter()
        a @ b
        best = max(best, 2 * side**3 / (time.perf_counter() - start))
    return best


def measure(workspace: Workspace, network: ModelConfig, options: TrainConfig, repeats: int) -> dict[str, Any]:
    """Figures of one network: both steps in turns, the first of each not counted."""
    people = [load_person(workspace.aligned(s), network.resolution, network.face_type) for s in ("src", "dst")]
    sources = make_sources(people[0], people[1], options, 0)
    with tempfile.TemporaryDirectory() as folder:
        session = open_session(Path(folder) / "model", network, options, "auto")
    flops = count_flops(session, sources, options)
    plain_model = build_model(network)
    assert isinstance(plain_model, Df)
    plain = PlainStep(plain_model)
    steps = repeats + 1
    loaders = [
        plain_batches(workspace.aligned(s), network.resolution, options.batch_size, steps) for s in ("src", "dst")
    ]
    rows = []
    for _ in range(steps):
        at = [time.perf_counter()]
        src, dst = (next(loader) for loader in loaders)
        at.append(time.perf_counter())
        plain(src, dst)
        at.append(time.perf_counter())
        pairs = step_batches(session.state, sources, options, session.compute.device)
        at.append(time.perf_counter())
        train_step(session, pairs, 1e-5)["loss_src"].item()
        at.append(time.perf_counter())
        session.state = session.state.model_copy(update={"step": session.state.step + 1})
        rows.append([b - a for a, b in pairwise(at)])
    rows = rows[1:]
    plain_seconds = [row[0] + row[1] for row in rows]
    ours = [row[2] + row[3] for row in rows]
    median = statistics.median(ours)
    return {
        "parameters": parameter_count(session.model),
        "batch_size": options.batch_size,
        "compute": str(session.compute),
        "gigaflops_a_step": flops / 1e9,
        "plain_seconds": spread(plain_seconds),
        "plain_loader_share": statistics.median(row[0] / (row[0] + row[1]) for row in rows),
        "ours_seconds": spread(ours),
        "ours_iterations_per_second": 1 / median,
        "ours_loader_share": statistics.median(row[2] / (row[2] + row[3]) for row in rows),
        "ours_over_plain": statistics.median(a / b for a, b in zip(plain_seconds, ours, strict=True)),
        "ours_gigaflops_per_second": flops / median / 1e9,
        "plain_gigaflops_per_second": flops / statistics.median(plain_seconds) / 1e9,
        "peak_bytes_so_far": used_memory(),
    }


def count_flops(session: Session, sources: Sources, options: TrainConfig) -> int:
    """Floating point operations of the network in one step, forward and backward; a product and a sum are two."""
    src, dst = step_batches(session.state, sources, options, session.compute.device)[0]
    with FlopCounterMode(display=False) as counter:
        drawn = session.model(src.faces, dst.faces)
        total = drawn.src.picture.sum() + drawn.dst.picture.sum()
        for drawing in (drawn.src, drawn.dst):
            for part in (drawing.mask, *drawing.smaller):
                total = total + (0 if part is None else part.sum())
        total.backward()
    session.optimizer.zero_grad()
    return int(counter.get_total_flops())


def spread(values: list[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def main() -> None:
    parser: argparse.ArgumentParser = arguments("train")
    parser.add_argument("--only", choices=list(networks()), help="measure this network alone")
    parser.add_argument("--repeats", type=int, default=5, help="steps that are counted")
    parser.add_argument("--workspace", type=Path, help="take the faces of this one; the demo's if left out")
    given = parser.parse_args()
    figures: dict[str, Any] = {}
    for dtype in (torch.float32, torch.bfloat16):
        figures[f"ceiling_{str(dtype).removeprefix('torch.')}_gigaflops_per_second"] = ceiling(dtype) / 1e9
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(given.workspace) if given.workspace else facesets(Path(folder))
        for name, (network, options) in networks().items():
            if given.only in (None, name):
                torch.manual_seed(0)
                found = measure(workspace, network, options, given.repeats)
                ceil = figures[f"ceiling_{found['compute'].split()[-1]}_gigaflops_per_second"]
                found["ours_share_of_ceiling"] = found["ours_gigaflops_per_second"] / ceil
                figures[name] = found
    finish("train", figures, given)


if __name__ == "__main__":
    main()
