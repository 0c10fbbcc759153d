"""Merging with a network of 128 pixels: against a plain merge, by parts, and the memory of a long clip.

    python benchmarks/merge.py --video CLIP --json merge.json

Without a video a drawn one is taken. Both merges are run in turn, three times, on the same frames; the memory is that
of the process of a whole merge of ten seconds and of a hundred, made by looping.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import torch

from lookalike.faceset import faces_by_frame, load_face, save_face
from lookalike.faceset.store import face_name
from lookalike.merging.config import MergeConfig
from lookalike.models.build import build_model
from lookalike.models.checkpoint import TrainState, save_checkpoint
from lookalike.models.config import ModelConfig
from lookalike.models.device import choose_compute
from lookalike.pipeline.config import ExtractConfig
from lookalike.pipeline.demo import draw_clip
from lookalike.pipeline.extract import extract
from lookalike.pipeline.merge import merge
from lookalike.pipeline.workspace import Workspace
from lookalike.sample import load_portraits
from lookalike.training.config import PRESETS
from lookalike.types import Frame
from lookalike.video import EncodeOptions, VideoWriter, probe, read_frames
from measure import arguments, finish
from plain_merging import plain_merge

_FRAMES = 120
_REPEATS = 3
_SECONDS = (10, 100)
_MERGE = """
import sys
from pathlib import Path
from lookalike.merging.config import MergeConfig
from lookalike.pipeline.merge import merge
from lookalike.pipeline.workspace import Workspace
from lookalike.video import EncodeOptions
for _ in merge(Workspace(Path(sys.argv[1])), MergeConfig(), EncodeOptions(preset="ultrafast")):
    pass
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


def write_frames(clip: Path, target: Path, count: int) -> None:
    """The first frames of a clip, again and again, `count` in all."""
    info = probe(clip)
    step = round(1 / (info.rate * info.time_base))
    with VideoWriter(target, info, EncodeOptions(preset="ultrafast", crf=12)) as writer:
        index = 0
        while index < count:
            for frame in read_frames(clip, 0, min(info.frame_count, count - index)):
                writer.write(Frame(frame.picture, index, index * step, frame.time_base))
                index += 1


def workspace_of(folder: Path, clip: Path, known: Workspace | None = None, loop: int = 0) -> Workspace:
    """A workspace whose dst is `clip`; with `known` its faces are those of the first `loop` frames, again and again."""
    workspace = Workspace.create(folder)
    workspace.set_video("dst", clip)
    if known is None:
        for _ in extract(workspace, "dst", ExtractConfig()):
            pass
        return workspace
    faces = faces_by_frame(known.aligned("dst"))
    workspace.aligned("dst").mkdir(parents=True)
    for index in range(probe(clip).frame_count):
        for path in faces.get(index % loop, []):
            image, record = load_face(path)
            again = record.model_copy(update={"frame": index, "track": index // loop})
            save_face(workspace.aligned("dst") / face_name(again), image, again)
    (workspace.folder / "model").symlink_to(known.folder / "model")
    return workspace


def add_model(workspace: Workspace, config: ModelConfig) -> None:
    """A network that was never trained: it takes the time of one that was."""
    torch.manual_seed(0)
    precision = choose_compute("auto").precision
    state = TrainState(model=config, step=1, precision=precision)
    save_checkpoint(workspace.model("model"), build_model(config, 0).state_dict(), {}, state)


def ours(workspace: Workspace) -> float:
    """Seconds of a merge of all frames."""
    began = time.perf_counter()
    output = workspace.folder / "result.mp4"
    output.unlink(missing_ok=True)
    for _ in merge(workspace, MergeConfig(), EncodeOptions()):
        pass
    return time.perf_counter() - began


def peak_bytes(workspace: Workspace) -> int:
    """Peak resident memory of a merge in a process of its own, read from Linux's status file."""
    command = [sys.executable, "-c", _MERGE, str(workspace.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1]) * 1024


def figures_of(folder: Path, clip: Path, config: ModelConfig) -> dict[str, Any]:
    """All that is measured."""
    short = folder / "short.mp4"
    write_frames(clip, short, _FRAMES)
    workspace = workspace_of(folder / "ws", short)
    add_model(workspace, config)
    faces = faces_by_frame(workspace.aligned("dst"))
    plain = build_model(config, 0).eval()
    plain_merge(short, faces, plain, config, folder / "plain.mp4", 8)
    ours(workspace)
    times: dict[str, list[float]] = {"plain": [], "ours": []}
    for _ in range(_REPEATS):
        times["plain"].append(plain_merge(short, faces, plain, config, folder / "plain.mp4", _FRAMES))
        times["ours"].append(ours(workspace))
    ratios = [a / b for a, b in zip(times["plain"], times["ours"], strict=True)]
    parts = workspace.done("merge")["seconds_by_part"]
    rate = float(probe(short).rate)
    memory = []
    for seconds in _SECONDS:
        looped = folder / f"{seconds}.mp4"
        write_frames(short, looped, round(seconds * rate))
        memory.append(peak_bytes(workspace_of(folder / f"ws{seconds}", looped, workspace, _FRAMES)))
    return {
        "network": config.model_dump(),
        "size_wh": probe(short).size_wh,
        "frames": _FRAMES,
        "seconds": times,
        "frames_per_second": {name: _FRAMES / median(taken) for name, taken in times.items()},
        "ratio": {"median": median(ratios), "min": min(ratios), "max": max(ratios)},
        "share_by_part": {name: round(value / sum(parts.values()), 3) for name, value in parts.items()},
        "memory_seconds": _SECONDS,
        "memory_peak_bytes": memory,
        "memory_long_over_short": memory[1] / memory[0],
    }


def main() -> None:
    parser = arguments("merge")
    parser.add_argument("--video", type=Path, help="a clip with one face")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = given.video
        if clip is None:
            clip = folder / "drawn.mp4"
            for _ in draw_clip(load_portraits()[1], "dst", clip, _FRAMES):
                pass
        finish("merge", figures_of(folder, clip, PRESETS["balanced"][0]), given)


if __name__ == "__main__":
    main()
