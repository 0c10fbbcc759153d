"""Which mask network is meant, and how far the workspace's own has come."""

import json
from pathlib import Path

from lookalike.errors import WeightsError
from lookalike.pipeline.workspace import Workspace

NAME = "xseg"
"""Folder of a workspace's own mask network under model/; a swap model has a state.json, this has not."""
_LONGEST_HEAD = 2**20
"""Bytes of the head of a file of weights that are read."""


def own_network(workspace: Workspace) -> Path:
    """The file of the workspace's own mask network, which `train --model xseg` makes."""
    return workspace.model(NAME) / "xseg.safetensors"


def network_of(workspace: Workspace, given: Path | None) -> Path:
    """The file given, else the workspace's own network, else the generic one.

    Raises:
        WeightsError: there is no such file as was given.
    """
    from lookalike.models.xseg import generic_weights  # costs torch

    if given is not None and not given.is_file():
        raise WeightsError(f"{given} is missing; give a mask network's file of weights, or an ONNX file")
    own = own_network(workspace)
    return given or (own if own.is_file() else generic_weights())


def own_iterations(workspace: Workspace) -> int | None:
    """How many iterations the workspace's own network was trained for; none if there is none. Quick.

    Source: the safetensors format, a length in eight bytes and a head of JSON.
    """
    try:
        with own_network(workspace).open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            facts = json.loads(file.read(min(length, _LONGEST_HEAD)))["__metadata__"]
        return int(facts["step"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
