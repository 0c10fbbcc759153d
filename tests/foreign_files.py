"""Files of DeepFaceLab and faceswap, made here by the layout that docs/foreign-files.md tells."""

import enum
import io
import pickle
import struct
import sys
import types
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

SIZE = 64
LANDMARKS = np.random.default_rng(7).uniform(4, 60, (68, 2))
MATRIX = np.array([[0.5, 0.1, -20.0], [-0.1, 0.5, 4.0]])


class FaceType(enum.IntEnum):
    """As `facelib.FaceType` has it."""

    HALF = 0
    FULL = 2
    WHOLE_FACE = 4
    HEAD = 10


class SampleType(enum.IntEnum):
    """As `samplelib.Sample` has it."""

    FACE = 1


@contextmanager
def deepfacelab_modules() -> Iterator[None]:
    """Let pickles call the two enumerations by the names of their modules in DeepFaceLab."""
    homes = {"facelib.FaceType": FaceType, "samplelib.Sample": SampleType}
    made = {name: types.ModuleType(name) for home in homes for name in (home.partition(".")[0], home)}
    for module, kind in homes.items():
        setattr(made[module], kind.__name__, kind)
        kind.__module__ = module
    sys.modules.update(made)
    try:
        yield
    finally:
        for name in made:
            del sys.modules[name]


def record(number: int = 0, **changes: Any) -> dict[str, Any]:
    """What DeepFaceLab 2 knows of a face."""
    return {
        "face_type": "whole_face",
        "landmarks": LANDMARKS.tolist(),
        "source_filename": f"{number + 1:05d}.png",
        "source_rect": np.array([10, 20, 110, 140]),
        "source_landmarks": (LANDMARKS * 2 + 30).tolist(),
        "image_to_face_mat": MATRIX,
        "eyebrows_expand_mod": 1.0,
        **changes,
    }


def numpy1(pickled: bytes) -> bytes:
    """A short pickle with numpy's names as its first version spelled them, without the frame that was counted."""
    if pickled[2:3] == b"\x95":
        pickled = pickled[:2] + pickled[11:]
    for part in (b"multiarray", b"numeric"):
        new, old = b"numpy._core." + part, b"numpy.core." + part
        pickled = pickled.replace(bytes([0x8C, len(new)]) + new, bytes([0x8C, len(old)]) + old).replace(new, old)
    return pickled


def jpeg(shade: int = 128) -> bytes:
    """A grey picture."""
    made = io.BytesIO()
    Image.new("RGB", (SIZE, SIZE), (shade, shade, shade)).save(made, "jpeg")
    return made.getvalue()


def jpeg_with(payload: bytes) -> bytes:
    """A JPEG with a segment APP15 behind the last of its kind."""
    data = jpeg()
    assert data[2:4] == b"\xff\xe0"
    at = 4 + int.from_bytes(data[4:6], "big")
    return data[:at] + b"\xff\xef" + struct.pack(">H", len(payload) + 2) + payload + data[at:]


def png_with(payload: bytes, kind: bytes = b"fcWp") -> bytes:
    """A PNG with a chunk before its end."""
    made = io.BytesIO()
    Image.new("RGB", (SIZE, SIZE)).save(made, "png")
    data = made.getvalue()
    chunk = len(payload).to_bytes(4, "big") + kind + payload + zlib.crc32(kind + payload).to_bytes(4, "big")
    return data[:-12] + chunk + data[-12:]


def mask_buffer(suffix: str = ".png") -> NDArray[np.uint8]:
    """A mask as DeepFaceLab packs it: left half seen."""
    mask = np.zeros((32, 32), np.uint8)
    mask[:, :16] = 255
    done, packed = cv2.imencode(suffix, mask)
    assert done
    return np.asarray(packed, np.uint8)


def config(number: int = 0, **changes: Any) -> dict[str, Any]:
    """An entry of a pack's table."""
    return {
        "sample_type": SampleType.FACE,
        "filename": f"{number + 1:05d}_0.jpg",
        "face_type": FaceType.WHOLE_FACE,
        "shape": (SIZE, SIZE, 3),
        "landmarks": LANDMARKS.tolist(),
        "seg_ie_polys": {"polys": [{"type": 0, "pts": np.array([[1, 2], [3, 4], [5, 9]], np.float32)}]},
        "xseg_mask": None,
        "xseg_mask_compressed": mask_buffer(),
        "eyebrows_expand_mod": 1.0,
        "source_filename": f"{number + 1:05d}.png",
        "person_name": None,
        **changes,
    }


def pak(table: bytes, images: Sequence[bytes]) -> bytes:
    """A faceset.pak; its last place is counted from the start of the file, as in genuine ones."""
    places = [sum(map(len, images[:number])) for number in range(len(images))]
    start = 16 + len(table) + 8 * (len(images) + 1)
    places.append(start + sum(map(len, images)))
    head = struct.pack("<QQ", 1, len(table))
    return head + table + struct.pack(f"<{len(places)}Q", *places) + b"".join(images)


def genuine_pak(count: int = 3) -> bytes:
    """A pack of faces, each with its own record."""
    with deepfacelab_modules():
        table = pickle.dumps([config(number) for number in range(count)], 4)
    return pak(table, [jpeg_with(pickle.dumps(record(number), 3)) for number in range(count)])


def weights() -> dict[str, NDArray[np.float32]]:
    """Two layers of an encoder."""
    rng = np.random.default_rng(0)
    return {
        "down1/downs_0/conv1/weight:0": rng.normal(size=(5, 5, 3, 8)).astype(np.float32),
        "down1/downs_0/conv1/bias:0": np.zeros(8, np.float32),
    }


def model_data() -> dict[str, Any]:
    """What `*_data.dat` holds."""
    return {
        "iter": 1234,
        "options": {"resolution": 128, "archi": "liae-ud", "lr_dropout": "n", "random_warp": True, "gan_power": 0.1},
        "loss_history": [[0.5, 0.4], [np.float32(0.25), np.float64(0.2)]],
        "sample_for_preview": [[np.zeros((4, 32, 32, 3), np.float32)], [np.zeros((4, 32, 32, 1), np.float32)]],
        "choosed_gpu_indexes": [0],
    }


def fsa_face() -> dict[str, Any]:
    """A face of an alignments file."""
    mask = zlib.compress(np.full((128, 128), 200, np.uint8).tobytes())
    return {
        "x": 10,
        "y": 20,
        "w": 100,
        "h": 120,
        "landmarks_xy": LANDMARKS.tolist(),
        "mask": {
            "components": {
                "mask": mask,
                "affine_matrix": MATRIX.tolist(),
                "interpolator": 3,
                "stored_size": 128,
                "stored_centering": "face",
            }
        },
        "identity": {"vggface2": [0.5] * 512},
        "thumb": list(jpeg()),
    }


def fsa(entry: Any = None, protocol: int = 4) -> bytes:
    """An alignments file of one frame."""
    frame = {"faces": [fsa_face()], "video_meta": {"pts_time": 0, "keyframe": 1}} if entry is None else entry
    content = {"__meta__": {"version": 2.4}, "__data__": {"clip_000001.mp4": frame}}
    return zlib.compress(pickle.dumps(content, protocol))


def faceswap_png(text: str | None = None) -> bytes:
    """A face of faceswap: its text stands before the pixels."""
    face = {name: value for name, value in fsa_face().items() if name != "thumb"}
    source = {
        "alignments_version": 2.4,
        "original_filename": "clip_000001_0.png",
        "face_index": 0,
        "source_filename": "clip_000001.mp4",
        "source_is_video": True,
        "source_frame_dims": (720, 1280),
    }
    made, chunk = io.BytesIO(), PngImagePlugin.PngInfo()
    chunk.add_itxt("faceswap", repr({"alignments": face, "source": source}) if text is None else text)
    Image.new("RGB", (SIZE, SIZE)).save(made, "png", pnginfo=chunk)
    return made.getvalue()


def readers(folder: Path) -> dict[str, tuple[Path, bytes]]:
    """A genuine file of every kind by a word for it, with the path it would have."""
    return {
        "jpeg": (folder / "00001_0.jpg", jpeg_with(pickle.dumps(record(), 3))),
        "png": (folder / "00001_0.png", png_with(pickle.dumps(record(face_type="full_face"), 3))),
        "pak": (folder / "faceset.pak", genuine_pak()),
        "meta": (folder / "meta.dat", pickle.dumps({"00001_0.jpg": ((SIZE, SIZE, 3), record())}, 3)),
        "weights": (folder / "ann_SAEHD_encoder.npy", pickle.dumps(weights(), 4)),
        "model data": (folder / "ann_SAEHD_data.dat", pickle.dumps(model_data(), 3)),
        "options": (folder / "SAEHD_default_options.dat", pickle.dumps(model_data()["options"], 3)),
        "fsa": (folder / "alignments.fsa", fsa()),
        "faceswap png": (folder / "clip_000001_0.png", faceswap_png()),
    }
