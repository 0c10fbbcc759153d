"""Joining a Ray cluster, and what can go wrong there in one line."""

import logging
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from lookalike.errors import ClusterError, ConfigError, ExtraMissingError

_ANSWERS_SECONDS: Final = 10.0
"""An address that does not answer within this is given up."""
_JOINED_SECONDS: Final = 60.0


def import_ray() -> Any:
    """The library.

    Raises:
        ExtraMissingError: it is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as exc:
        raise ExtraMissingError(
            "work on many machines needs the package ray; install it with: pip install 'lookalike[ray]'"
        ) from exc
    return ray


@contextmanager
def joined(address: str) -> Iterator[Any]:
    """Be part of a cluster; one that this process is part of already is used, and left as it is.

    Args:
        address: HOST:PORT, or auto for the cluster that this machine belongs to.

    Yields:
        The library.

    Raises:
        ExtraMissingError: Ray is not installed. ConfigError: no address. ClusterError: the cluster cannot be joined.
    """
    ray = import_ray()
    if ray.is_initialized():
        yield ray
        return
    _check_address(address)
    with _quiet(ray):
        _join(ray, address)
        try:
            yield ray
        finally:
            ray.shutdown()


def _check_address(address: str) -> None:
    """See that somebody listens: Ray itself would try for minutes."""
    if address == "auto":
        return
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or "/" in host:
        raise ConfigError(f"--ray is HOST:PORT of a cluster, or auto, got {address!r}")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWERS_SECONDS).close()
    except (OSError, OverflowError) as exc:
        raise ClusterError(
            f"no Ray cluster answers at {address} ({exc}); start one with `ray start --head`, or give its address"
        ) from exc


def _join(ray: Any, address: str) -> None:
    """Ray's own joining, given up after a while; its thread cannot be ended and is left behind then."""
    failed: list[BaseException] = []

    def join() -> None:
        try:
            ray.init(address=address, logging_level="error", log_to_driver=False, configure_logging=False)
        except BaseException as exc:
            failed.append(exc)

    thread = threading.Thread(target=join, daemon=True)  # there Ray also leaves the signals alone
    thread.start()
    thread.join(_JOINED_SECONDS)
    if thread.is_alive():
        raise ClusterError(f"what answers at {address} is no Ray cluster, or one that is stuck; check the address")
    if failed:
        raise ClusterError(_reason(address, failed[0])) from failed[0]


def _reason(address: str, exc: BaseException) -> str:
    text = " ".join(str(exc).split())
    if "ersion mismatch" in text:
        return f"the cluster at {address} runs another version of Ray or Python than this machine: {text[:300]}"
    if address == "auto":
        return f"this machine belongs to no Ray cluster ({text[:200]}); start one with `ray start`, or give an address"
    return (
        f"the Ray cluster at {address} cannot be joined ({text[:200]}); "
        f"start Ray on this machine with: ray start --address {address}"
    )


@contextmanager
def _quiet(ray: Any) -> Iterator[None]:
    """Ray tells of dead nodes on the standard output, among our own lines; there is no option for that."""
    logging.getLogger("ray").setLevel(logging.ERROR)
    loud = getattr(ray._private.worker, "_worker_logs_enabled", None)
    if loud is None:
        yield
        return
    ray._private.worker._worker_logs_enabled = False
    try:
        yield
    finally:
        ray._private.worker._worker_logs_enabled = loud
