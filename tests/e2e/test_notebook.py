"""The notebook of the documentation runs from its first cell to its last, and shows what it says."""

import base64
import io
import shutil
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from PIL import Image
from running import ENVIRONMENT

NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebook.ipynb"
SECONDS = 900
"""For a cell, on a machine that has other things to do."""


def test_it_is_kept_without_outputs() -> None:
    nbformat.validate(notebook())
    cells = [cell for cell in notebook().cells if cell.cell_type == "code"]
    assert len(cells) > 8
    assert not any(cell.outputs or cell.execution_count for cell in cells)


def notebook() -> Any:
    return nbformat.reads(NOTEBOOK.read_text("utf-8"), 4)  # type: ignore[no-untyped-call]


@pytest.mark.slow
def test_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    for name in ("JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "TMPDIR", "MPLCONFIGDIR"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(name, str(tmp_path / name))
    whole = notebook()
    where = {"metadata": {"path": str(tmp_path)}}
    with_words = {**ENVIRONMENT, "PYTHONWARNINGS": "error::DeprecationWarning:__main__"}
    client = NotebookClient(whole, timeout=SECONDS, kernel_name="python3", resources=where)
    client.execute(env={**with_words, **{n: str(tmp_path / n) for n in ("IPYTHONDIR", "TMPDIR", "MPLCONFIGDIR")}})
    outputs = [output for cell in whole.cells for output in cell.get("outputs", [])]
    assert [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"] == []
    pictures = [picture(output) for output in outputs if "image/png" in output.get("data", {})]
    assert len(pictures) == 8
    assert all(image.std() > 10 for image in pictures)
    text = "\n".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs)
    for said in ("24 faces from 24 frames", "faces replaced in 24", "trusted - The face of a person", "frames lost: 0"):
        assert said in text
    shutil.rmtree(tmp_path / "TMPDIR")


def picture(output: Any) -> np.ndarray[Any, np.dtype[np.uint8]]:
    with Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))) as image:
        return np.asarray(image.convert("RGB"))
