"""The command line in a process of its own, and what the clips of `conftest.py` hold."""

import os
import subprocess
import sys
from collections.abc import Callable

SRC_FRAMES, DST_FRAMES = 24, 130
ENVIRONMENT = {**os.environ, "OMP_WAIT_POLICY": "PASSIVE"}

Run = Callable[..., subprocess.CompletedProcess[str]]


def command(*arguments: object) -> list[str]:
    """The command line as a person's shell would start it."""
    return [sys.executable, "-c", "from lookalike.cli import main; main()", *map(str, arguments)]
