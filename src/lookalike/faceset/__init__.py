"""Aligned faces on disk, each with its record."""

from lookalike.faceset.make import crop_face, crop_lanczos, make_face
from lookalike.faceset.record import FaceRecord, encode_array
from lookalike.faceset.store import (
    SUFFIXES,
    UNREADABLE,
    change_record,
    encode_face,
    face_name,
    faces_by_frame,
    list_faces,
    load_face,
    load_record,
    load_records,
    replace_record,
    save_encoded,
    save_face,
)

__all__ = [
    "SUFFIXES",
    "UNREADABLE",
    "FaceRecord",
    "change_record",
    "crop_face",
    "crop_lanczos",
    "encode_array",
    "encode_face",
    "face_name",
    "faces_by_frame",
    "list_faces",
    "load_face",
    "load_record",
    "load_records",
    "make_face",
    "replace_record",
    "save_encoded",
    "save_face",
]
