"""Extraction and merging by one and by two single-core workers of a Ray cluster on this machine, and without Ray.

    python benchmarks/scale.py --clip CLIP --json scale.json

Without a clip a drawn one is taken. Every run is a whole command in a process of its own; the kinds of run take turns.
What a command needs before its work begins is told by the same command on a clip of a second, and taken off for the
second ratio. One and two workers must make the same faces and the same film. Without Ray the film may differ a little:
an encoder divides its work by the cores that it has. Give it a machine with nothing else to do.
"""

import hashlib
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from lookalike.faceset import list_faces
from lookalike.pipeline.demo import draw_clip
from lookalike.pipeline.workspace import Workspace
from lookalike.sample import load_portraits
from lookalike.training.config import PRESETS
from lookalike.video import probe, read_frames
from measure import arguments, finish
from merge import add_model, write_frames
from ray_overhead import overhead_of
from ray_processes import RayProcesses

_DRAWN_FRAMES = 120
_KINDS: dict[str, int | None] = {"without_ray": None, "one_worker": 1, "two_workers": 2}


@dataclass(frozen=True)
class Bench:
    """What all runs share."""

    folder: Path
    address: str
    clips: dict[str, Path]
    """A long and a short one."""
    repeats: int
    send: bool
    """Send files to workers though they see them."""


@dataclass(frozen=True)
class Run:
    """A command, measured."""

    seconds: float
    cpu_seconds: float
    """Of processors, by the command itself."""
    processes: dict[str, float]
    """Of the cluster's; see RayProcesses."""
    hash: str
    """Of what it made."""
    pool: str
    """What it says of the workers."""


def main() -> None:
    parser = arguments("scale")
    parser.add_argument("--clip", type=Path, help="a video with one face, repeated as often as needed")
    parser.add_argument("--frames", type=int, default=1440, help="frames of each run, a multiple of 240 [1440]")
    parser.add_argument("--repeats", type=int, default=2, help="runs of each kind [2]")
    parser.add_argument("--step", choices=("extract", "merge"), help="only this one")
    parser.add_argument("--send", action="store_true", help="send files to the workers though they see them")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lks") as name, _cluster(Path(name) / "ray") as (address, started):
        folder = Path(name)
        clips = _clips(folder, given.clip, given.frames)
        bench = Bench(folder, address, clips, given.repeats, given.send)
        figures: dict[str, Any] = {
            "clip": {
                "size_wh": probe(clips["long"]).size_wh,
                "frames": {k: probe(p).frame_count for k, p in clips.items()},
            },
            "files_sent_though_seen": given.send,
            "cluster_start_seconds": started,
        }
        for step in (given.step,) if given.step else ("extract", "merge"):
            figures[step] = _measured(bench, step)
        with RayProcesses(folder / "ray") as idle:  # last, as Ray watches the logs of all workers that it ever had
            figures["overhead"] = overhead_of(address, folder)
        figures["processes_without_work"] = idle.figures()
        finish("scale", figures, given)
        different = [step for step in ("extract", "merge") if not figures.get(step, {}).get("same_by_workers", True)]
        if different:
            raise SystemExit(f"{', '.join(different)}: one and two workers did not make the same")


@contextmanager
def _cluster(folder: Path) -> Iterator[tuple[str, float]]:
    """A cluster of two nodes, each bound to a core of its own; its address, and seconds to start it.

    Workers inherit the core of their node, with all their threads. Networks use one thread in all kinds of run, those
    without Ray, too: the last digit of what they draw depends on it.
    """
    folder.mkdir()
    os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_TMPDIR=str(folder), OMP_WAIT_POLICY="PASSIVE")
    os.environ["OMP_NUM_THREADS"] = "1"
    os.environ["PYTHONPATH"] = str(Path(__file__).parent)  # where workers find the tasks of the overhead
    from ray.cluster_utils import Cluster

    began = time.perf_counter()
    node = {"num_cpus": 1, "object_store_memory": 400 << 20, "include_dashboard": False}
    cores = os.sched_getaffinity(0)
    first, second = sorted(cores)[:2]
    cluster: Any = Cluster()
    for core in (first, second):
        os.sched_setaffinity(0, {core})
        cluster.add_node(**node)
    os.sched_setaffinity(0, cores)
    cluster.wait_for_nodes()
    try:
        yield str(cluster.address), time.perf_counter() - began
    finally:
        cluster.shutdown()


def _clips(folder: Path, clip: Path | None, frames: int) -> dict[str, Path]:
    if clip is None:
        clip = folder / "drawn.mp4"
        for _ in draw_clip(load_portraits()[1], "dst", clip, _DRAWN_FRAMES):
            pass
    clips = {"long": folder / "long.mp4", "short": folder / "short.mp4"}
    write_frames(clip, clips["long"], frames)
    write_frames(clip, clips["short"], round(probe(clip).rate))
    return clips


def _measured(bench: Bench, step: str) -> dict[str, Any]:
    """Seconds of every kind of run, and their ratios."""
    short = {kind: _run(bench, step, "short", kind).seconds for kind in _KINDS}  # warms up, too
    runs: dict[str, list[Run]] = {kind: [] for kind in _KINDS}
    for _ in range(bench.repeats):
        for kind in _KINDS:
            runs[kind].append(_run(bench, step, "long", kind))
            print(f"{step} {kind}: {runs[kind][-1].seconds:.1f} s", file=sys.stderr)
    times = {kind: [run.seconds for run in done] for kind, done in runs.items()}
    made = {kind: {run.hash for run in done} for kind, done in runs.items()}
    one, two = times["one_worker"], times["two_workers"]
    ratios = [a / b for a, b in zip(one, two, strict=True)]
    steady = [
        (a - short["one_worker"]) / (b - short["two_workers"]) for a, b in zip(one, two, strict=True)
    ]  # of the work alone
    frames = probe(bench.clips["long"]).frame_count
    return {
        "seconds": times,
        "seconds_of_a_second_of_video": short,
        "frames_per_second": {kind: frames / median(taken) for kind, taken in times.items()},
        "two_over_one": _spread(ratios),
        "two_over_one_without_the_start": _spread(steady),
        "two_workers_over_without_ray": median(times["without_ray"]) / median(two),
        "command_cpu_seconds": {kind: [run.cpu_seconds for run in done] for kind, done in runs.items()},
        "processes": {kind: [run.processes for run in runs[kind]] for kind in ("one_worker", "two_workers")},
        "pool": runs["two_workers"][-1].pool,
        "same_by_workers": len(made["one_worker"] | made["two_workers"]) == 1,
        "same_without_ray": len(made["without_ray"] | made["one_worker"]) == 1,
        "bytes_each_frame": sum(path.stat().st_size for path in _files(step, bench.folder / "ws")) / frames,
    }


def _run(bench: Bench, step: str, length: str, kind: str) -> Run:
    """A whole command."""
    workspace = _workspace(bench, step, length)
    words = {"extract": ["extract", workspace.folder, "dst"], "merge": ["merge", workspace.folder]}[step]
    workers = _KINDS[kind]
    if workers is not None:
        words += ["--ray", bench.address, "--ray-workers", workers]
        words += ["--ray-files", "send"] if bench.send else []
    with RayProcesses(bench.folder / "ray") as processes:
        began, computed = time.perf_counter(), _children_cpu()
        done = subprocess.run([sys.executable, "-m", "lookalike", *map(str, words)], capture_output=True, text=True)
        taken, computed = time.perf_counter() - began, _children_cpu() - computed
    if done.returncode:
        raise SystemExit(f"{step} {kind}: {done.stderr.strip()}")
    pool = re.findall(r"^\w+: (\d+ workers? did .*)$", done.stdout, re.MULTILINE)
    if step == "extract" and not (bench.folder / f"faces {length}").exists():  # what merging begins with
        shutil.copytree(workspace.data("dst"), bench.folder / f"faces {length}")
    return Run(taken, computed, processes.figures(), _hash(step, workspace), pool[-1] if pool else "")


def _children_cpu() -> float:
    """Seconds of processors of all commands that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _workspace(bench: Bench, step: str, length: str) -> Workspace:
    """One in which the step was not done yet."""
    folder = bench.folder / "ws"
    shutil.rmtree(folder, ignore_errors=True)
    workspace = Workspace.create(folder)
    workspace.set_video("dst", bench.clips[length])
    if step == "merge":
        if not (bench.folder / f"faces {length}").exists():
            _run(bench, "extract", length, "without_ray")
            return _workspace(bench, step, length)
        shutil.copytree(bench.folder / f"faces {length}", workspace.data("dst"))
        add_model(workspace, PRESETS["balanced"][0])
    return workspace


def _hash(step: str, workspace: Workspace) -> str:
    """Of all faces, or of the film's pictures."""
    digest = hashlib.sha256()
    for path in _files(step, workspace.folder):
        if step == "extract":
            digest.update(path.read_bytes())
            continue
        for frame in read_frames(path):
            for plane in frame.picture.planes:
                digest.update(plane.tobytes())
    return digest.hexdigest()


def _files(step: str, folder: Path) -> list[Path]:
    """What a step made: faces, or a film."""
    return list_faces(folder / "data_dst" / "aligned") if step == "extract" else [folder / "result.mp4"]


def _spread(values: list[float]) -> dict[str, float]:
    return {"median": median(values), "min": min(values), "max": max(values)}


if __name__ == "__main__":
    main()
