"""Which device and which precision, decided in one place."""

import math
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Literal

import torch
import torch.nn.functional as F

from lookalike.errors import ConfigError

Precision = Literal["float32", "bfloat16"]


@dataclass(frozen=True, slots=True)
class Compute:
    """Where and how exactly a network is computed."""

    device: torch.device
    precision: Precision

    def autocast(self) -> AbstractContextManager[object]:
        """Context in which convolutions run in the chosen precision."""
        if self.precision == "float32":
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

    def __str__(self) -> str:
        return f"{self.device} {self.precision}"


def describe(compute: Compute) -> str:
    """What a person wants to know of where networks are computed."""
    if compute.device.type != "cuda":
        return f"{compute}, {torch.get_num_threads()} threads"
    card = torch.cuda.get_device_properties(compute.device)
    return f"{compute}, {card.name} with {card.total_memory / 2**30:.0f} GiB"


def choose_device(wanted: str = "auto") -> torch.device:
    """CUDA, else Apple's MPS, else the processor; or the one asked for.

    Raises:
        ConfigError: the device asked for is not here.
    """
    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if wanted == "auto":
        return torch.device(next(name for name, is_here in here.items() if is_here))
    if not here.get(wanted.split(":")[0], False):
        raise ConfigError(f"device {wanted} is not on this machine; use one of {[n for n in here if here[n]]}")
    return torch.device(wanted)


def choose_compute(device: str = "auto", precision: Precision | None = None) -> Compute:
    """Device, and the precision given, or the faster one by a measurement of a quarter second; MPS stays in float32."""
    where = choose_device(device)
    if where.type == "cuda":  # TF32 for what stays in float32; never tried
        torch.set_float32_matmul_precision("high")
    if where.type == "mps":
        return Compute(where, "float32")
    if precision is None:
        precision = "bfloat16" if _bfloat16_gain(where) > 1.15 else "float32"
    return Compute(where, precision)


def _bfloat16_gain(device: torch.device) -> float:
    """How many times faster a training convolution is in bfloat16 than in float32."""
    if device.type == "cuda" and not torch.cuda.is_bf16_supported():
        return 0.0
    x = torch.ones(8, 64, 24, 24, device=device).to(memory_format=torch.channels_last).requires_grad_()
    weight = torch.ones(64, 64, 3, 3, device=device).to(memory_format=torch.channels_last).requires_grad_()

    def step(enabled: bool) -> None:
        with torch.autocast(device.type, torch.bfloat16, enabled=enabled):
            y = F.conv2d(x, weight, padding=1)
        y.float().mean().backward()  # type: ignore[no-untyped-call]
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    return _speedup(lambda: step(False), lambda: step(True))


def _speedup(slow: Callable[[], None], fast: Callable[[], None], repeats: int = 12, limit_s: float = 1.0) -> float:
    """Best time of one over best time of the other, taken in turns so that a busy machine hinders both alike."""
    best = [math.inf, math.inf]
    began = time.perf_counter()
    for repeat in range(repeats + 1):
        for which, run in enumerate((slow, fast)):
            start = time.perf_counter()
            run()
            if repeat:  # the first is a warm-up
                best[which] = min(best[which], time.perf_counter() - start)
        if repeat and time.perf_counter() - began > limit_s:
            break
    return best[0] / best[1]
