"""Which mask network is meant."""

from pathlib import Path

from lookalike.models.xseg import generic_weights
from lookalike.pipeline.workspace import Workspace

NAME = "xseg"
"""Folder of a workspace's own mask network under model/; a swap model has a state.json, this has not."""


def own_network(workspace: Workspace) -> Path:
    """The file of the workspace's own mask network, which `train --model xseg` makes."""
    return workspace.model(NAME) / "xseg.safetensors"


def network_of(workspace: Workspace, given: Path | None) -> Path:
    """The file given, else the workspace's own network, else the generic one."""
    own = own_network(workspace)
    return given or (own if own.is_file() else generic_weights())
