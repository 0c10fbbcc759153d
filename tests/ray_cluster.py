"""A Ray cluster of two nodes on this machine, one of which can be killed."""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from lookalike.cluster.config import ClusterOptions
from lookalike.cluster.pool import Pool
from lookalike.cluster.ray_pool import open_pool

MEMORY = 200 << 20
_QUICK = {"health_check_initial_delay_ms": 1000, "health_check_period_ms": 500, "health_check_failure_threshold": 6}


@dataclass(slots=True)
class TwoNodes:
    """A cluster with one processor on each of its two nodes."""

    cluster: Any
    second: Any

    @property
    def address(self) -> str:
        """What `--ray` is given."""
        return str(self.cluster.address)

    def kill_second(self) -> None:
        """Pull the plug of the node that this process is not on."""
        self.cluster.remove_node(self.second, allow_graceful=False)
        self.second = None

    def mend(self) -> None:
        """Bring the second node back, if it was killed."""
        if self.second is None:
            self.second = _add(self.cluster)
            self.cluster.wait_for_nodes()


@contextmanager
def two_nodes_cluster() -> Iterator[TwoNodes]:
    """Start a cluster, join it, and leave nothing behind."""
    os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO="0", OMP_WAIT_POLICY="PASSIVE")
    import ray
    from ray.cluster_utils import Cluster

    folder = tempfile.mkdtemp(prefix="lkr")  # a socket's path may have 107 letters, and a test's folder is long
    here = Path(__file__).parent
    paths = os.pathsep.join(str(here / name) for name in ("", "e2e", "stage", "unit"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", paths)  # where workers find functions of tests
        head = {"num_cpus": 1, "object_store_memory": MEMORY, "include_dashboard": False}
        patch.setenv("RAY_TMPDIR", folder)
        patch.setenv("TMPDIR", folder)  # a killed node cannot remove what it was sent
        (Path(folder) / "ray").mkdir()
        cluster = Cluster(initialize_head=True, head_node_args={**head, "_system_config": _QUICK})
        try:
            # Joined before there is another node on this machine that Ray might take for the one to join.
            ray.init(address=cluster.address, logging_level=logging.ERROR, log_to_driver=False)
            nodes = TwoNodes(cluster, _add(cluster))
            cluster.wait_for_nodes()
            yield nodes
        finally:
            ray.shutdown()
            cluster.shutdown()  # type: ignore[no-untyped-call]
            shutil.rmtree(folder, ignore_errors=True)


def noted_pools(patch: pytest.MonkeyPatch, module: ModuleType) -> list[Pool]:
    """The pools that a module opens from now on, to see how far they are."""
    opened: list[Pool] = []

    @contextmanager
    def opening(options: ClusterOptions, **how: Any) -> Iterator[Pool]:
        with open_pool(options, **how) as pool:
            opened.append(pool)
            yield pool

    patch.setattr(module, "open_pool", opening)
    return opened


def both_at_work(pools: list[Pool]) -> bool:
    """Whether each of the two nodes has done something."""
    report = pools[0].report if pools else None
    return report is not None and len(report.done) == 2


def _add(cluster: Any) -> Any:
    return cluster.add_node(num_cpus=1, object_store_memory=MEMORY)
