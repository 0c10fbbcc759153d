"""What all benchmarks share: repeats, statistics, where and of what they were taken."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any


def seconds(run: Callable[[], object], repeats: int = 7, warm_up: int = 2) -> dict[str, float]:
    """Median and spread of the time of a call."""
    taken = []
    for repeat in range(warm_up + repeats):
        start = time.perf_counter()
        run()
        if repeat >= warm_up:
            taken.append(time.perf_counter() - start)
    return {"median": statistics.median(taken), "min": min(taken), "max": max(taken)}


def machine() -> dict[str, Any]:
    """Commit, processor and versions."""
    here = Path(__file__).parent
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=here, capture_output=True, text=True)
    return {
        "commit": commit.stdout.strip(),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "python": platform.python_version(),
        "torch": version("torch"),
        "av": version("av"),
    }


def arguments(name: str) -> argparse.ArgumentParser:
    """The options that every benchmark has; one may add its own."""
    parser = argparse.ArgumentParser(description=f"benchmark of {name}")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    return parser


def finish(name: str, figures: dict[str, Any], given: argparse.Namespace | None = None) -> None:
    """Print the figures, and write them where `--json FILE` says."""
    target = (given or arguments(name).parse_args()).json
    text = json.dumps({"benchmark": name, "machine": machine(), "figures": figures}, indent=2)
    print(text)
    if target:
        target.write_text(text + "\n")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")
