"""What a file of another tool holds, found out without running any of it."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lookalike.errors import ForeignFileError
from lookalike.interchange.dfl_faces import DflFace, dfl_face_in, read_dfl_face
from lookalike.interchange.dfl_meta import read_meta
from lookalike.interchange.dfl_models import file_part, read_default_options, read_model_data, weights_shapes
from lookalike.interchange.dfl_pak import DflPak
from lookalike.interchange.file_bytes import read_whole
from lookalike.interchange.fsa import fsa_png_in, read_fsa, read_fsa_png
from lookalike.interchange.image_parts import MOST_IMAGE
from lookalike.interchange.kinds import Kind, kind_of, picture_kind
from lookalike.interchange.refusals import shown_path

Facts = dict[str, Any]
"""Plain JSON values by a word for what they are."""

_NAMES: Final[dict[Kind, str]] = {
    "dfl-face": "aligned face of DeepFaceLab",
    "dfl-pak": "faceset.pak of DeepFaceLab",
    "dfl-meta": "meta.dat of DeepFaceLab",
    "dfl-weights": "weights of DeepFaceLab",
    "dfl-model-data": "model data of DeepFaceLab",
    "dfl-options": "options of a model of DeepFaceLab",
    "fsa": "alignments of faceswap",
    "fsa-face": "aligned face of faceswap",
    "our-face": "aligned face of Lookalike",
    "our-pack": "pack of faces of Lookalike",
    "picture": "picture without a record of a face",
    "numpy": "plain array of NumPy, no weights of DeepFaceLab",
    "hdf5": "HDF5, as Keras wrote weights for DeepFaceLab of 2019 and faceswap; not read, as it may hold code",
    "zip": "zip archive, as Keras and PyTorch write models; not read, as it may hold code",
    "onnx": "ONNX network by its name, as .dfm is; not looked into",
}
_PICTURES: Final = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True, slots=True)
class Inspection:
    """What was found."""

    path: Path
    kind: str
    facts: Facts


def inspect(path: Path) -> Inspection:
    """Look into a file, or a folder of faces or models.

    Raises:
        ForeignFileError: it is of no known kind, damaged, larger than is read, or holds code.
        RecordError, FacesetError: a file of our own is damaged.
    """
    if path.is_dir():
        return _folder(path)
    kind = kind_of(path)
    look = _LOOKS.get(kind)
    return Inspection(path, _NAMES[kind], look(path) if look else {})


def _folder(path: Path) -> Inspection:
    files = sorted(file for file in path.iterdir() if file.is_file() and not file.name.startswith("."))
    pictures = [file for file in files if file.suffix.lower() in _PICTURES]
    models = [file for file in files if file_part(file.name) is not None]
    if models:
        return Inspection(path, "folder of models of DeepFaceLab", {"models": _models(models)})
    if pictures:
        return Inspection(path, "folder of faces", _faces(pictures))
    raise ForeignFileError(f"{shown_path(path)} has neither faces nor models in it; name a file, or another folder")


def _faces(pictures: list[Path]) -> Facts:
    """How many of which kind; a refused one is counted, and the first says why."""
    kinds, types, sizes, marks = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    refusal: str | None = None
    for path in pictures:
        try:
            image = read_whole(path, MOST_IMAGE)
            kind = picture_kind(image, str(path))
            if kind == "dfl-face":
                face = dfl_face_in(image, str(path))
                types[face.face_type] += 1
                sizes["x".join(map(str, face.size_wh))] += 1
                marks.update(_marks(face))
            elif kind == "fsa-face":
                sizes["x".join(map(str, fsa_png_in(image, str(path)).size_wh))] += 1
        except ForeignFileError as exc:
            kinds["refused"] += 1
            refusal = refusal or str(exc)
        else:
            kinds[_NAMES[kind]] += 1
    facts = {"files": dict(kinds), "face types": dict(types), "sizes": dict(sizes), "with": dict(marks)}
    return {name: value for name, value in facts.items() if value} | ({"first refusal": refusal} if refusal else {})


def _marks(face: DflFace) -> list[str]:
    told = {"polygons": face.polygons, "mask": face.encoded_mask, "matrix": face.matrix is not None}
    return [name for name, value in told.items() if value]


def _models(files: list[Path]) -> Facts:
    models: dict[str, Facts] = {}
    for path in files:
        named = file_part(path.name)
        assert named is not None
        model, kind, part = named
        facts = models.setdefault(f"{model} {kind}".strip(), {})
        try:
            if path.suffix == ".npy":
                shapes = weights_shapes(path).values()
                facts[part] = f"{len(shapes)} arrays, {sum(shape.bytes for shape in shapes)} bytes"
            elif part == "data":
                facts |= _model_data(path)
            else:
                facts[part] = dict(read_default_options(path))
        except ForeignFileError as exc:
            facts[part] = f"refused: {exc}"
    return models


def _dfl_face(path: Path) -> Facts:
    face = read_dfl_face(path)
    mask = face.mask(str(path))
    return {
        "size": "x".join(map(str, face.size_wh)),
        "face type": face.face_type,
        "geometry": face.geometry or "2019 or dfl2",
        "from": face.source_filename,
        "landmarks": len(face.landmarks),
        "matrix": face.matrix is not None,
        "polygons": dict(Counter(polygon.kind for polygon in face.polygons)) or 0,
        "mask": "none" if mask is None else f"{mask.shape[1]}x{mask.shape[0]}",
    }


def _pak(path: Path) -> Facts:
    types, people, sizes, marks = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    with DflPak(path) as pack:
        for number in range(len(pack)):
            packed = pack.face(number)
            types[packed.face.face_type] += 1
            people[packed.person or ""] += 1
            sizes["x".join(map(str, packed.face.size_wh))] += 1
            marks.update(mark for mark in _marks(packed.face) if mark != "matrix")  # the pictures have it
    facts: Facts = {"faces": len(pack), "face types": dict(types), "sizes": dict(sizes), "with": dict(marks)}
    return facts | ({"people": dict(people)} if set(people) != {""} else {})


def _meta(path: Path) -> Facts:
    types = Counter(face.face_type for _, face in read_meta(path))
    return {"faces": sum(types.values()), "face types": dict(types)}


def _weights(path: Path) -> Facts:
    shapes = weights_shapes(path)
    named = file_part(path.name)
    return {
        **({"model": named[1], "part": named[2]} if named else {}),
        "arrays": len(shapes),
        "bytes": sum(shape.bytes for shape in shapes.values()),
        "layers": {name: f"{'x'.join(map(str, one.shape)) or 1} {one.dtype}" for name, one in shapes.items()},
    }


def _model_data(path: Path) -> Facts:
    data = read_model_data(path)
    last = data.loss_history[-1] if data.loss_history else []
    return {
        "iterations": data.iteration,
        "losses kept": len(data.loss_history),
        "last loss": " ".join(f"{loss:.4f}" for loss in last) or "none",
        "pictures of people": f"{len(data.previews)} arrays, {sum(shape.bytes for shape in data.previews)} bytes",
        "options": dict(data.options),
    }


def _fsa(path: Path) -> Facts:
    file = read_fsa(path)
    faces = [face for found in file.frames.values() for face in found]
    return {
        "version": file.version,
        "of a video": file.is_video,
        "frames": len(file.frames),
        "faces": len(faces),
        "landmarks": dict(Counter(str(len(face.landmarks)) for face in faces)),
        "masks": dict(Counter(name for face in faces for name in face.masks)),
        "embeddings": dict(Counter(name for face in faces for name in face.identity)),
    }


def _fsa_face(path: Path) -> Facts:
    found = read_fsa_png(path)
    return {
        "size": "x".join(map(str, found.size_wh)),
        "version": found.version,
        "from": found.source_filename,
        "face of the frame": found.face_index,
        "landmarks": len(found.face.landmarks),
        "masks": sorted(found.face.masks),
        "embeddings": sorted(found.face.identity),
    }


def _our_face(path: Path) -> Facts:
    from lookalike.faceset import load_record

    record = load_record(path)
    return {
        "size": f"{record.size}x{record.size}",
        "face type": record.face_type,
        "geometry": record.geometry,
        "from": record.source,
        "frame": record.frame + 1,
        "polygons": len(record.polygons),
        "mask": record.mask is not None,
    }


def _our_pack(path: Path) -> Facts:
    from lookalike.faceset.pack import Pack

    with Pack(path) as pack:
        return {"faces": len(pack)}


_LOOKS: Final[Mapping[Kind, Callable[[Path], Facts]]] = {
    "dfl-face": _dfl_face,
    "dfl-pak": _pak,
    "dfl-meta": _meta,
    "dfl-weights": _weights,
    "dfl-model-data": _model_data,
    "dfl-options": lambda path: {"options": dict(read_default_options(path))},
    "fsa": _fsa,
    "fsa-face": _fsa_face,
    "our-face": _our_face,
    "our-pack": _our_pack,
}
