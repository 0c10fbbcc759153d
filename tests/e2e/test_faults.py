"""Twenty-five random faults over a whole small swap; `scripts/faults --n 1000` lets more fall."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
FAULTS, SEED = 25, 8


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_nothing_is_lost(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "faults", f"--n={FAULTS}", f"--seed={SEED}", f"--scratch={tmp_path / 'faults'}"],
        capture_output=True,
        text=True,
        timeout=1200,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "lost: 0" in done.stdout
