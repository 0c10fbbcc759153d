"""Networks of others: read from their published files without running what a file may carry, and where to run them."""

from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn

from lookalike.errors import WeightsError
from lookalike.models.device import Compute, choose_device

Net = TypeVar("Net", bound=nn.Module)


def load_published(net: Net, path: Path) -> Net:
    """Give a network the weights of a .pth file, and make it ready to be run, not trained.

    Args:
        net: its parameters are named as in the file.
        path: a state dict saved by torch, alone or under "state_dict", its names with or without "module." before.

    Raises:
        WeightsError: the file is missing, damaged, holds more than tensors, or is another network's.
    """
    net.load_state_dict(_fitting(net, _read(path), path))
    return net.eval().requires_grad_(False)


def inference_compute(*, exact: bool) -> Compute:
    """CUDA, else MPS, else the processor; bfloat16 only on a CUDA card that has it, and not where `exact` is asked for.

    Only the processor was ever tried.
    """
    device = choose_device()
    short = device.type == "cuda" and not exact and torch.cuda.is_bf16_supported()
    return Compute(device, "bfloat16" if short else "float32")


def _read(path: Path) -> dict[str, Tensor]:
    try:
        value = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as exc:
        raise WeightsError(f"no weights in {path}; fetch or add them again") from exc
    except Exception as exc:  # the call only reads, and damage shows as almost any exception
        reason = type(exc).__name__
        raise WeightsError(
            f"{path} is damaged or is no weights file of torch ({reason}); fetch or add it again"
        ) from exc
    if isinstance(value, dict) and isinstance(value.get("state_dict"), dict):
        value = value["state_dict"]
    if not isinstance(value, dict) or not all(isinstance(tensor, Tensor) for tensor in value.values()):
        raise WeightsError(f"{path} holds no table of weights; fetch or add it again")
    return {str(name).removeprefix("module."): tensor for name, tensor in value.items()}


def _fitting(net: nn.Module, found: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The tensors, if the network needs just these in these shapes; batch counters, which old files lack, are made."""
    wanted = net.state_dict()
    counters = {name: tensor for name, tensor in wanted.items() if name.endswith(".num_batches_tracked")}
    found = counters | found
    lacking = sorted(wanted.keys() - found.keys())
    spare = sorted(found.keys() - wanted.keys())
    misshapen = [name for name in wanted if name in found and wanted[name].shape != found[name].shape]
    for names, what in ((lacking, "lacks"), (spare, "has beside its weights"), (misshapen, "has in another shape")):
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            raise WeightsError(f"{path} is another network's: it {what} {names[0]}{more}")
    return found
