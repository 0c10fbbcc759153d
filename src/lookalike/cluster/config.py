"""Options of work on many machines. Imports no Ray, so that the command line reads it quickly."""

from typing import Annotated, Literal

from pydantic import Field

from lookalike.options import Options


class ClusterOptions(Options):
    """Where the work of a step is done."""

    ray: str | None = None
    """Share the work out on a Ray cluster: its address, or auto for the one that this machine belongs to."""
    ray_workers: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Workers; as many as the cluster has free processors for, when left out."""
    ray_files: Literal["auto", "shared", "send"] = "auto"
    """How workers come by files: shared storage that all machines see under the same path, or sent with the work; auto
    sends to those that do not see them."""
