"""Certificates for signing as C2PA asks for them: made here, or checked when somebody brings his own."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from lookalike.errors import CredentialsError

LIFE: Final = timedelta(days=3652)
"""How long a certificate made here holds. Without time stamps its end is the end of every signature made with it."""
_ORGANIZATION: Final = "Lookalike on this machine"
_NAME: Final = "Lookalike local signer"
_CLOCKS_DIFFER: Final = timedelta(minutes=5)
_CLAIM_SIGNING: Final = ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
_FEWEST_RSA_BITS: Final = 2048

_PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class Pair:
    """A signer's certificate, those that vouch for it, and his key; all PEM."""

    chain: bytes
    key: bytes
    """PKCS #8, not encrypted."""
    root: bytes
    """The last certificate of the chain."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who can sign: a certificate with its key."""

    name: str
    """Of the signer, as in the certificate."""
    chain: bytes
    """PEM: the signer's certificate, then those that vouch for it."""
    key: bytes = field(repr=False)
    """PEM, PKCS #8."""
    algorithm: str
    """As C2PA names it: ES256, ES384, ES512, PS256 or ED25519."""
    serial: str
    """Of the signer's certificate, decimal."""
    until: datetime
    """The certificate's end, UTC."""


def make_pair() -> Pair:
    """A new key (ES256) with a certificate, and a root that vouches for it and whose own key is thrown away."""
    start = datetime.now(UTC) - _CLOCKS_DIFFER
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    vouching, named = _subject(f"{_NAME} root"), _subject(_NAME)
    root = (
        _begun(vouching, vouching, root_key, start)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(_usage(vouches=True), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    leaf = (
        _begun(named, vouching, key, start)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(vouches=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION, _CLAIM_SIGNING]), critical=True)
        .add_extension(authority, critical=False)
        .sign(root_key, hashes.SHA256())
    )
    pem = root.public_bytes(Encoding.PEM)
    return Pair(leaf.public_bytes(Encoding.PEM) + pem, _stored(key), pem)


def check_pair(chain: bytes, key: bytes, name: str) -> Identity:
    """Look whether certificate and key can sign content credentials, before any work is done.

    Args:
        chain: PEM, the signer's own certificate first.
        key: PEM.
        name: of the certificate's file, for the message.

    Raises:
        CredentialsError: they cannot; says what is wrong with which.
    """
    leaf, private = _leaf(chain, name), _read_key(key)
    if _public(private.public_key()) != _public(leaf.public_key()):
        raise CredentialsError(
            f"the key does not belong to the first certificate of {name}; put the signer's own first, or name its key"
        )
    _check_leaf(leaf, name)
    return Identity(
        leaf.subject.rfc4514_string(),
        chain,
        _stored(private),
        _algorithm(private),
        str(leaf.serial_number),
        leaf.not_valid_after_utc,
    )


def serial_of(chain: bytes, name: str) -> str:
    """The serial number of the signer's certificate, decimal.

    Raises:
        CredentialsError: there is none.
    """
    return str(_leaf(chain, name).serial_number)


def _leaf(chain: bytes, name: str) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificates(chain)[0]
    except ValueError as exc:
        raise CredentialsError(f"{name} holds no PEM certificate; convert it, as docs/credentials.md shows") from exc


def _check_leaf(leaf: x509.Certificate, name: str) -> None:
    now = datetime.now(UTC)
    if now > leaf.not_valid_after_utc:
        raise CredentialsError(f"{name} held until {leaf.not_valid_after_utc:%Y-%m-%d}; get it renewed")
    if now < leaf.not_valid_before_utc:
        raise CredentialsError(f"{name} holds from {leaf.not_valid_before_utc:%Y-%m-%d %H:%M} UTC; set the clock right")
    extensions = leaf.extensions
    try:
        uses = set(extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
        extensions.get_extension_for_class(x509.AuthorityKeyIdentifier)
    except x509.ExtensionNotFound as exc:
        what = getattr(exc.oid, "_name", exc.oid)
        raise CredentialsError(f"{name} has no {what}, which C2PA asks for; see docs/credentials.md") from exc
    if ExtendedKeyUsageOID.EMAIL_PROTECTION not in uses:  # no other is taken by c2pa 0.91, documentSigning neither
        raise CredentialsError(
            f"{name} does not fit: its extended key usage has no emailProtection; see docs/credentials.md"
        )
    if not usage.digital_signature:
        raise CredentialsError(f"{name} does not allow digital signatures (key usage); see docs/credentials.md")
    if not leaf.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME):
        raise CredentialsError(f"{name} names no organization (O=), which C2PA asks for; see docs/credentials.md")


def _read_key(data: bytes) -> _PrivateKey:
    try:
        key = load_pem_private_key(data, None)
    except TypeError as exc:
        raise CredentialsError(
            "the signing key has a password; store it without: openssl pkcs8 -topk8 -nocrypt -in KEY -out NEW"
        ) from exc
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise CredentialsError("the signing key is no PEM key; see docs/credentials.md") from exc
    if not isinstance(key, _PrivateKey):
        raise CredentialsError("the signing key is of a kind that C2PA has not; use EC (P-256), RSA or Ed25519")
    _algorithm(key)
    return key


def _algorithm(key: _PrivateKey) -> str:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ED25519"
    if isinstance(key, rsa.RSAPrivateKey):
        if key.key_size < _FEWEST_RSA_BITS:
            raise CredentialsError(f"the signing key has {key.key_size} bits; C2PA asks for {_FEWEST_RSA_BITS} or more")
        return "PS256"
    names = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}
    if key.curve.name not in names:
        raise CredentialsError(f"the signing key is on the curve {key.curve.name}; C2PA knows P-256, P-384 and P-521")
    return names[key.curve.name]


def _stored(key: _PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _public(key: object) -> bytes:
    encoded: bytes = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined]
    return encoded


def _subject(name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANIZATION), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, start: datetime
) -> x509.CertificateBuilder:
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(*, vouches: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not vouches,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=vouches,
        crl_sign=vouches,
        encipher_only=False,
        decipher_only=False,
    )
