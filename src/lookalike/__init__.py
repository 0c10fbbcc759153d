"""Lookalike: trained face replacement for video.

Each step is a function that yields progress events: `from lookalike import extract, train, merge, swap`.
They are loaded when first asked for, so that importing the package costs nothing.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "Workspace": "lookalike.pipeline.workspace",
    "cut": "lookalike.pipeline.cut",
    "demo": "lookalike.pipeline.demo",
    "denoise": "lookalike.pipeline.denoise",
    "encode": "lookalike.pipeline.encode",
    "extract": "lookalike.pipeline.extract",
    "frames": "lookalike.pipeline.frames",
    "merge": "lookalike.pipeline.merge",
    "report": "lookalike.pipeline.report",
    "sort": "lookalike.pipeline.sort",
    "swap": "lookalike.pipeline.swap",
    "timelapse": "lookalike.pipeline.timelapse",
    "train": "lookalike.pipeline.train",
}
__all__ = [
    "Workspace",
    "__version__",
    "cut",
    "demo",
    "denoise",
    "encode",
    "extract",
    "frames",
    "merge",
    "report",
    "sort",
    "swap",
    "timelapse",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'lookalike' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
