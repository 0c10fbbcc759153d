"""Options of `export`. Imports no numpy."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from lookalike.options import Options

Target = Literal["dfm", "onnx", "dfl"]
"""What a model is written for: players, ONNX runtimes, DeepFaceLab 2."""


def _line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("is empty or has line breaks or control characters; write it in one line")
    return text


class ExportOptions(Options):
    """How a model is written, and what is asked before."""

    precision: Literal["float32", "float16"] = "float32"
    """Of the weights in the file; float16 halves it, and is computed with in float32."""
    opset: Annotated[int, Field(ge=12, le=17)] = 12
    """Version of ONNX's operators; older programs read 12."""
    licence: Annotated[str, Field(max_length=300), AfterValidator(_line)] | None = None
    """What the file's metadata say of who may use it, and how."""
    require_consent: bool = False
    """Refuse to write a model without valid records of consent (`lookalike consent add`)."""
