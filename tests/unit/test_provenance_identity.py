"""Who signs: a local identity that is made once, or a certificate of one's own."""

import os
import re
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lookalike.errors import CredentialsError, StorageError
from lookalike.provenance import certificates, identity
from lookalike.provenance.certificates import make_pair
from lookalike.provenance.identity import identity_folder, local_roots, open_identity
from lookalike.site_config import Signing

posix = pytest.mark.skipif(os.name != "posix", reason="modes of files")
DOCS = Path(__file__).parents[2] / "docs" / "credentials.md"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Nothing was signed here yet."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    return identity_folder()


def test_an_identity_is_made_once(home: Path) -> None:
    assert local_roots().pem == ""
    assert not home.exists()
    first = open_identity(Signing())
    assert first == open_identity(Signing())
    assert first.algorithm == "ES256"
    assert local_roots().serials == {first.serial}
    assert "BEGIN PRIVATE KEY" not in repr(first)
    assert first.name == "CN=Lookalike local signer,O=Lookalike on this machine"


@posix
def test_nobody_else_can_read_the_key(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, int] = {}
    real = os.open

    def opened(path: str | Path, flags: int, mode: int = 0o777) -> int:
        asked[Path(path).name] = mode
        return real(path, flags, mode)

    monkeypatch.setattr(os, "open", opened)
    before = os.umask(0)
    try:
        open_identity(Signing())
    finally:
        os.umask(before)
    (key,) = home.glob("*/key.pem")
    assert asked["key.pem"] == 0o600
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    key.chmod(0o644)
    open_identity(Signing())
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_processes_that_begin_together_end_with_one(home: Path) -> None:
    code = (
        "from lookalike.provenance.identity import open_identity; from lookalike.site_config import Signing; "
        "print(open_identity(Signing()).serial)"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    serials = {run.communicate()[0] for run in runs}
    assert len(serials) == 1
    assert len(list(home.glob("*/key.pem"))) == 1
    assert not list(home.glob(".making-*"))


def test_it_is_renewed_in_time_and_the_old_one_stays_known(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(certificates, "LIFE", identity._RENEWED - timedelta(days=1))
        old = identity._make(_made(home))
    new = open_identity(Signing())
    assert new.serial != old.serial
    assert new.until > old.until
    assert local_roots().serials == {old.serial, new.serial}
    assert (home / "root.pem").read_text().count("BEGIN CERTIFICATE") == 2
    assert open_identity(Signing()) == new


@pytest.mark.parametrize("name", ["key.pem", "chain.pem", "root.pem"])
def test_a_damaged_identity_is_followed_by_another(home: Path, name: str) -> None:
    first = open_identity(Signing())
    (path,) = home.glob(f"*/{name}")
    path.unlink() if name == "root.pem" else path.write_bytes(path.read_bytes()[:40])
    second = open_identity(Signing())
    assert second.serial != first.serial
    assert path.parent.is_dir()
    assert open_identity(Signing()) == second


def test_a_home_that_cannot_be_written_is_one_line(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(StorageError, match="cannot be written"):
        open_identity(Signing())


def test_own_certificate_made_as_the_docs_say(tmp_path: Path) -> None:
    (commands,) = re.findall(r"```bash\n(openssl .*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    done = subprocess.run(["bash", "-euc", commands], cwd=tmp_path, capture_output=True, text=True)
    if "command not found" in done.stderr:
        pytest.skip("no openssl")
    assert done.returncode == 0, done.stderr
    found = open_identity(Signing(certificate=tmp_path / "chain.pem", key=tmp_path / "signer.key"))
    assert found.name == "CN=My Studio signing,O=My Studio"
    assert not identity_folder().exists()


def test_a_pair_that_is_made_here_can_be_named_in_config(tmp_path: Path) -> None:
    found = open_identity(_pair(tmp_path))
    assert found.algorithm == "ES256"


def test_files_that_do_not_fit_are_refused_in_one_line(tmp_path: Path) -> None:
    config = _pair(tmp_path)
    other = tmp_path / "other.pem"
    cases = {
        "names no key": Signing(certificate=config.certificate),
        "names no certificate": Signing(key=config.key),
        "cannot be read": Signing(certificate=tmp_path / "gone.pem", key=config.key),
        "does not belong": Signing(certificate=config.certificate, key=_written(other, make_pair().key)),
        "no PEM certificate": Signing(certificate=_written(tmp_path / "text", b"hello"), key=config.key),
        "no PEM key": Signing(certificate=config.certificate, key=_written(tmp_path / "text", b"hello")),
        "has a password": Signing(certificate=config.certificate, key=_written(tmp_path / "locked", _locked())),
        "too large": Signing(certificate=config.certificate, key=_written(tmp_path / "large", b"x" * (1 << 21))),
    }
    for said, given in cases.items():
        with pytest.raises(CredentialsError, match=said) as caught:
            open_identity(given)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"_CLOCKS_DIFFER": timedelta(days=9000)}, "held until"),
        ({"_CLOCKS_DIFFER": -timedelta(days=9)}, "holds from"),
        ({"ExtendedKeyUsage": ["1.3.6.1.5.5.7.3.1"]}, "no emailProtection"),
        ({"_ORGANIZATION": None}, "names no organization"),
    ],
    ids=["over", "not yet", "for servers", "nobody"],
)
def test_certificates_that_c2pa_refuses_are_refused_before(
    change: dict[str, object], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        for name, value in change.items():
            if name == "ExtendedKeyUsage":
                real, server = x509.ExtendedKeyUsage, x509.ObjectIdentifier("1.3.6.1.5.5.7.3.1")
                patch.setattr(x509, name, lambda _, real=real, server=server: real([server]))
            elif name == "_ORGANIZATION":
                named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "somebody")])
                patch.setattr(certificates, "_subject", lambda _, named=named: named)
            else:
                patch.setattr(certificates, name, value)
        pair = make_pair()
    with pytest.raises(CredentialsError, match=said):
        open_identity(_config(tmp_path, pair.chain, pair.key))


def _made(home: Path) -> Path:
    home.mkdir(parents=True)
    return home


def _pair(folder: Path) -> Signing:
    pair = make_pair()
    return _config(folder, pair.chain, pair.key)


def _config(folder: Path, chain: bytes, key: bytes) -> Signing:
    return Signing(certificate=_written(folder / "chain.pem", chain), key=_written(folder / "key.pem", key))


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def _locked() -> bytes:
    encryption = serialization.BestAvailableEncryption(b"secret")
    kind = serialization.PrivateFormat.PKCS8
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(serialization.Encoding.PEM, kind, encryption)
