"""Packages that only some detectors need."""

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lookalike.errors import ExtraMissingError


class OnnxSession(Protocol):
    """What we use of ONNX Runtime's session."""

    def get_inputs(self) -> Sequence[Any]:
        """The inputs; each has a name."""
        ...

    def run(self, names: list[str] | None, inputs: dict[str, NDArray[np.float32]]) -> Sequence[NDArray[np.float32]]:
        """The outputs of these names, or all."""
        ...


def load(module: str, *, detector: str, package: str) -> ModuleType:
    """A module of a package that an extra named as the detector brings.

    Raises:
        ExtraMissingError: it is not installed, or something that it needs is not.
    """
    try:
        return import_module(module)
    except ImportError as exc:
        raise _missing(detector, package) from exc


def folder(module: str, *, detector: str, package: str) -> Path:
    """Where a package's files lie; the package itself is not imported.

    Raises:
        ExtraMissingError: it is not installed.
    """
    spec = find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        raise _missing(detector, package)
    return Path(spec.submodule_search_locations[0])


def onnx_session(weights: str | bytes, *, detector: str) -> OnnxSession:
    """A network in ONNX, from its file or its bytes, on one core.

    Raises:
        ExtraMissingError: onnxruntime is not installed.
    """
    runtime = load("onnxruntime", detector=detector, package="onnxruntime")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    session: OnnxSession = runtime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    return session


def _missing(detector: str, package: str) -> ExtraMissingError:
    return ExtraMissingError(
        f"the detector {detector} needs the package {package}; install it with: pip install 'lookalike[{detector}]'"
    )
