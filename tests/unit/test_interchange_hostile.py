"""No reader runs anything: what makes a file when others load it makes none here, and is refused in one line."""

import pickle
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from foreign_files import SIZE, faceswap_png, genuine_pak, jpeg_with, pak, png_with
from hostile_pickles import INERT, PAYLOADS
from lookalike.cli import run
from lookalike.errors import ForeignFileError
from lookalike.interchange.dfl_faces import read_dfl_face
from lookalike.interchange.dfl_meta import read_meta
from lookalike.interchange.dfl_models import read_default_options, read_model_data, read_weights, weights_shapes
from lookalike.interchange.dfl_pak import DflPak
from lookalike.interchange.fsa import read_fsa, read_fsa_png

READERS: Final[dict[str, tuple[str, Callable[[bytes], bytes], Callable[[Path], Any]]]] = {
    "jpeg": ("1_0.jpg", jpeg_with, read_dfl_face),
    "png": ("1_0.png", png_with, read_dfl_face),
    "pak": ("faceset.pak", lambda payload: pak(payload, []), DflPak),
    "face of a pak": ("1_0.jpg", jpeg_with, read_dfl_face),
    "meta.dat": ("meta.dat", bytes, read_meta),
    "weights": ("a_SAEHD_encoder.npy", bytes, read_weights),
    "shapes": ("a_SAEHD_encoder.npy", bytes, weights_shapes),
    "model data": ("a_SAEHD_data.dat", bytes, read_model_data),
    "options": ("SAEHD_default_options.dat", bytes, read_default_options),
    "fsa": ("alignments.fsa", zlib.compress, read_fsa),
}
"""By a word for the reader: a file's name, how a pickle gets into such a file, and what reads it."""


def one_line(error: BaseException) -> str:
    text = str(error)
    assert text.isprintable(), text
    return text


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("name", sorted(PAYLOADS.keys() - {"torch"}))  # which takes long to be imported
def test_the_payloads_are_real(name: str, tmp_path: Path) -> None:
    """Each makes a file if Python loads it, so that the tests below prove something."""
    (tmp_path / "payload").write_bytes(PAYLOADS[name](tmp_path / "made"))
    code = "import pickle, sys; pickle.load(open(sys.argv[1], 'rb'))"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "payload")], capture_output=True, check=False)
    assert (tmp_path / "made").exists()


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", [*PAYLOADS, *INERT])
def test_every_reader_refuses_code(name: str, reader: str, tmp_path: Path) -> None:
    file, put, read = READERS[reader]
    payload = INERT[name] if name in INERT else PAYLOADS[name](tmp_path / "made")
    path = tmp_path / file
    path.write_bytes(put(payload))
    with pytest.raises(ForeignFileError) as raised:
        read(path)
    assert one_line(raised.value).startswith(f"{path} ")
    assert names(tmp_path) == [file]


@pytest.mark.parametrize(("name", "refused"), [
    ("os.system", "os.system|posix.system"),
    ("eval", "builtins.eval"),
    ("subprocess", "subprocess.check_call"),
    ("getattr of a path", "builtins.getattr"),
    ("INST", "os.system"),
    ("torch", "torch.storage._load_from_bytes"),
])  # fmt: skip
def test_the_refusal_names_what_was_to_be_called(name: str, refused: str, tmp_path: Path) -> None:
    (tmp_path / "meta.dat").write_bytes(PAYLOADS[name](tmp_path / "made"))
    with pytest.raises(ForeignFileError, match=rf"holds code \(({refused})\), which is never run"):
        read_meta(tmp_path / "meta.dat")


@pytest.mark.parametrize("name", ["os.system", "getattr of a path", "OBJ"])
def test_the_command_refuses_code(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for file, put, _ in READERS.values():
        (tmp_path / file).write_bytes(put(PAYLOADS[name](tmp_path / "made")))
        assert run(["inspect", str(tmp_path / file)]) == 1
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith("error: ")
        assert said.err.count("\n") == 1
        (tmp_path / file).unlink()
    assert names(tmp_path) == []


def test_a_pak_whose_faces_hold_code_is_refused_face_by_face(tmp_path: Path) -> None:
    from lookalike.interchange.dfl_faces import dfl_face_in

    images = [jpeg_with(PAYLOADS["os.system"](tmp_path / "made"))]
    table = genuine_pak(1)
    length = struct.unpack("<Q", table[8:16])[0]
    (tmp_path / "faceset.pak").write_bytes(pak(table[16 : 16 + length], images))
    with DflPak(tmp_path / "faceset.pak") as pack:
        assert pack.face(0).face.face_type == "whole"
        with pytest.raises(ForeignFileError, match="holds code"):
            dfl_face_in(pack.image(0), "a face")
    assert names(tmp_path) == ["faceset.pak"]


@pytest.mark.parametrize("source", [
    "__import__('os').system('touch {}')",
    "{{'alignments': open({!r}, 'w')}}",
    "[x for x in (open({!r}, 'w'),)]",
    "f'{{open({!r}, 'w')}}'",
    "lambda: open({!r}, 'w')",
    "open({!r}, 'w')",
])  # fmt: skip
def test_a_text_of_faceswap_is_not_python(source: str, tmp_path: Path) -> None:
    (tmp_path / "1_0.png").write_bytes(faceswap_png(source.format(str(tmp_path / "made"))))
    with pytest.raises(ForeignFileError, match="its text is no plain value"):
        read_fsa_png(tmp_path / "1_0.png")
    assert names(tmp_path) == ["1_0.png"]


@pytest.mark.parametrize("source", [
    "[" * 100_000, "(" * 100_000 + ")" * 100_000, "-" * 100_000 + "1", "9" * 100_000, "1e99999", "'a' 'b'", "1+2",
    "{1}", "[1, 2", "[1 2]", "{'a': }", "{'a' 1}", "{[]: 1}", "'\\", "'a", "[,]", "]", "", "nan()", "0x10", "1_000",
    "b'\u0100'", "'" + "\\x" * 100_000 + "'", "\\d", "None" * 2, "[1]]", "{'a': 1, 'b'}",
    "[" + "0," * 2_000_000 + "]",
])  # fmt: skip
def test_odd_texts_are_refused_in_one_line(source: str, tmp_path: Path) -> None:
    (tmp_path / "1_0.png").write_bytes(faceswap_png(source))
    with pytest.raises(ForeignFileError) as raised:
        read_fsa_png(tmp_path / "1_0.png")
    assert len(one_line(raised.value)) < 600


def test_names_in_files_are_text_only(tmp_path: Path) -> None:
    """A name that leads elsewhere is told as it is; nothing is opened, written or looked for there."""
    name = f"../../{tmp_path.name}/made\n\x1b[31m.png"
    path = tmp_path / "meta.dat"
    face = {"landmarks": [[0, 0]] * 68, "source_filename": name}
    path.write_bytes(pickle.dumps({name: ((SIZE, SIZE, 3), face)}))
    assert [(found, face.source_filename) for found, face in read_meta(path)] == [(name, name)]
    path.write_bytes(pickle.dumps({name: ((SIZE, SIZE, 3), {"landmarks": 1})}))
    with pytest.raises(ForeignFileError) as raised:
        list(read_meta(path))
    assert "\x1b" not in one_line(raised.value)
    assert names(tmp_path) == ["meta.dat"]
