"""SIGKILL at twenty random moments of a training: there is always a whole model, and nothing saved is lost."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

FORKS = """
import os, random, signal, sys, time
from pathlib import Path
import torch
torch.set_num_threads(1)  # threads do not survive a fork
from lookalike.models.checkpoint import has_checkpoint, load_checkpoint
from lookalike.models.config import model_config
from lookalike.models.device import Compute
from lookalike.training import session
from lookalike.training.config import beginning, changed_options
from lookalike.training.loop import train
session.choose_compute = lambda device, wanted: Compute(torch.device("cpu"), "float32")
folder, src, dst = map(Path, sys.argv[1:4])
sizes = model_config({"model": "sae", "resolution": 32, "ae_dims": 16, "e_ch_dims": 2})
options = changed_options(beginning("sae"), {
    "batch_size": 2, "device": "cpu", "save_seconds": 1e-9, "preview_seconds": 1e9, "autobackup": True,
})
moments = random.Random(1)

def stamp():
    path = folder / "state.json"
    return path.stat().st_mtime_ns if path.exists() else None

for kill in range(20):
    child = os.fork()
    if child == 0:
        for event in train(folder, src, dst, sizes, options):
            pass
    if kill % 5:  # else before, or while, it takes up its work
        old = stamp()
        deadline = time.monotonic() + 60
        while stamp() == old and time.monotonic() < deadline:
            time.sleep(0.005)
    time.sleep(moments.uniform(0.0, 0.4))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    names = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
    if not has_checkpoint(folder):
        print(None, names, flush=True)
        continue
    found = load_checkpoint(folder)
    finite = all(bool(torch.isfinite(value).all()) for value in found.weights.values())
    steps = {int(value) for key, value in found.beside.items() if key.startswith("step/")}
    log = folder / "log.jsonl"
    logged = log.read_text().count("\\n") if log.is_file() else 0
    print(found.state.step, logged, finite, sorted(steps), flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_twenty_kills(facesets: tuple[Path, Path], tmp_path: Path) -> None:
    script = tmp_path / "forks.py"
    script.write_text(FORKS)
    model = tmp_path / "model"
    done = subprocess.run(
        [sys.executable, str(script), str(model), *map(str, facesets)],
        capture_output=True,
        text=True,
        timeout=300,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    rows = [line.split(maxsplit=3) for line in done.stdout.splitlines()]
    assert len(rows) == 20
    before = -1
    for row in rows:
        if row[0] == "None":
            assert before == -1, "there was a model, and it is gone"
            continue
        step, logged = int(row[0]), int(row[1])
        assert row[2] == "True"
        assert json.loads(row[3]) in ([step], [] if step == 0 else None)  # moments of the same moment as the weights
        # With a save after every iteration a kill costs no more than the one it fell into.
        assert step >= before
        assert step >= logged - 1
        before = step
    assert before > 20  # it got on in spite of it all
