"""What this machine has and what will be used."""

import hashlib
import os
import platform
import shutil
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files

from lookalike import __version__
from lookalike.models.device import choose_compute, describe
from lookalike.video import usable_encoders, usable_hardware

_PACKAGES = ("torch", "av", "opencv-python-headless", "ai-edge-litert", "dlib-bin", "numpy")
_WEIGHTS = {
    "face_detection_yunet_2023mar.onnx": "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    "face_landmarks_detector.tflite": "c7d54204ce0448474c7f3fa9af494787c0965cbdd6f20fc72867e43046bd43d5",
}


def doctor() -> list[tuple[str, str]]:
    """Facts as (what, how it is), in the order they are worth reading."""
    facts = [
        ("lookalike", __version__),
        ("python", platform.python_version()),
        ("system", f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"),
        ("training on", describe(choose_compute())),
    ]
    facts.append(("encoders", ", ".join(usable_encoders())))
    facts.append(("in hardware", ", ".join(usable_hardware()) or "none that opens"))
    facts.append(("free here", f"{shutil.disk_usage('.').free / 2**30:.0f} GiB"))
    facts.extend((name, _version(name)) for name in _PACKAGES)
    facts.extend((name, _intact(name, digest)) for name, digest in _WEIGHTS.items())
    return facts


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "missing; install lookalike again"


def _intact(name: str, digest: str) -> str:
    found = hashlib.sha256((files("lookalike.faces") / "weights" / name).read_bytes()).hexdigest()
    return "as shipped" if found == digest else "changed; install lookalike again"
