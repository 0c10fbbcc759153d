"""A batch on a cluster of two nodes: jobs are commands of workers, and a lost node costs no job."""

import sys
import threading
from pathlib import Path

import pytest

from lookalike.cluster.config import ClusterOptions
from lookalike.pipeline.batch import batch
from lookalike.pipeline.batch_run import RunOptions
from lookalike.types import Message
from ray_cluster import TwoNodes

PROGRAM = """
import sys, time
from pathlib import Path
given = dict(word[2:].split("=", 1) for word in sys.argv[2:] if "=" in word)
output = Path(given["output"])
output.with_suffix(".begun").write_text("x")
while not Path(given["src"]).read_text():
    time.sleep(0.05)
output.write_text("made")
"""


@pytest.mark.slow
def test_a_lost_node_costs_no_job(two_nodes: TwoNodes, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    for number in range(4):
        (tmp_path / f"src{number}.mp4").write_text("")
        (tmp_path / f"dst{number}.mp4").write_text("")
    (tmp_path / "jobs.toml").write_text('job = [{src = "src*.mp4", dst = "dst*.mp4", pairs = "zip"}]')
    options = RunOptions(program=(sys.executable, "-S", str(program)), pause=0.1, retry=2)
    done = threading.Event()

    def kill() -> None:
        """Once two jobs are under way, pull the plug of a node and let jobs end."""
        while len(list(tmp_path.glob("*.begun"))) < 2 and not done.wait(0.05):
            pass
        two_nodes.kill_second()
        for number in range(4):
            (tmp_path / f"src{number}.mp4").write_text("go")

    killer = threading.Thread(target=kill)
    killer.start()
    cluster = ClusterOptions(ray=two_nodes.address)
    try:
        events = batch(tmp_path / "jobs.toml", options, cluster=cluster)
        said = [event.text for event in events if isinstance(event, Message)]
    finally:
        done.set()
        killer.join()
    assert sum("done on" in line for line in said) == 4
    assert all((tmp_path / f"src{number}_on_dst{number}.mp4").read_text() == "made" for number in range(4))
