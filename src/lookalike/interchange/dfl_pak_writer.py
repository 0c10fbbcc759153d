"""`faceset.pak` and `meta.dat` of DeepFaceLab 2, written."""

import shutil
import struct
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np

from lookalike.files import replacing, storage_errors, write_bytes
from lookalike.interchange.dfl_writer import Fields
from lookalike.interchange.pickle_writer import Member, dumps

_FACE_TYPES: Final = {
    "half_face": 0,
    "midfull_face": 1,
    "full_face": 2,
    "full_face_no_align": 3,
    "whole_face": 4,
    "head": 10,
    "head_no_align": 20,
}
"""Numbers of `facelib.FaceType`."""
_FACE: Final = Member("samplelib.Sample", "SampleType", 1)


class PakWriter:
    """A pack that is being written: pictures go to a file beside it, and in place when all are there."""

    def __init__(self, path: Path) -> None:
        """`path` is where the pack will be."""
        self.path = path
        self._configs: list[object] = []
        self._lengths: list[int] = []
        with storage_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._images = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._images.close()

    def add(self, name: str, jpeg: bytes, fields: Fields, size: int) -> None:
        """Add a face.

        Args:
            name: of its file.
            jpeg: the file.
            fields: what the file says.
            size: side in pixels.

        Raises:
            StorageError: the disk is full.
        """
        mask = fields.get("xseg_mask")
        self._configs.append(
            {
                "sample_type": _FACE,
                "filename": name,
                "face_type": Member("facelib.FaceType", "FaceType", _FACE_TYPES[str(fields["face_type"])]),
                "shape": (size, size, 3),
                "landmarks": fields["landmarks"],
                "seg_ie_polys": fields.get("seg_ie_polys", {"polys": []}),
                "xseg_mask": None,
                "xseg_mask_compressed": mask,
                "eyebrows_expand_mod": fields["eyebrows_expand_mod"],
                "source_filename": fields["source_filename"],
                "person_name": None,
            }
        )
        self._lengths.append(len(jpeg))
        with storage_errors(self.path):
            self._images.write(jpeg)

    def finish(self) -> None:
        """Put the pack in place.

        The last place of its table is counted from the start of the file, the others from the end of the table, as
        DeepFaceLab writes them.

        Raises:
            StorageError: the disk is full.
        """
        table = dumps(self._configs, 4)
        places = [0, *np.cumsum(self._lengths, dtype=np.int64).tolist()]
        start = 16 + len(table) + 8 * len(places)
        places[-1] += start
        with replacing(self.path) as temporary, temporary.open("wb") as file:
            file.write(struct.pack("<QQ", 1, len(table)) + table)
            file.write(struct.pack(f"<{len(places)}Q", *places))
            self._images.seek(0)
            shutil.copyfileobj(self._images, file)


def write_meta(path: Path, records: dict[str, tuple[int, Fields]]) -> None:
    """Write a `meta.dat`.

    Args:
        path: of the file.
        records: side in pixels and fields, by the face's file name.

    Raises:
        StorageError: the disk is full.
    """
    write_bytes(path, dumps({name: ((size, size, 3), fields) for name, (size, fields) in records.items()}))
