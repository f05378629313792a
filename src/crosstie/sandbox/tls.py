"""A certificate authority of the sandbox's own, and the certificate that its https servers show.

Clients trust the sandbox by trusting ``ca.pem``. Both files are made once per folder and made anew before they end.
"""

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFE = timedelta(days=365)
_RENEW_BEFORE = timedelta(days=7)
_HOSTS = ("localhost",)
_ADDRESSES = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Certificates:
    """Where the files are: the authority to trust, and the server's chain and key."""

    ca: Path
    chain: Path
    key: Path


def certificates(folder: Path) -> Certificates:
    """The certificates in *folder*, made there where they are missing or about to end."""
    files = Certificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    if not _still_good(files):
        folder.mkdir(parents=True, exist_ok=True)
        _make(files)
    return files


def _still_good(files: Certificates) -> bool:
    if not (files.ca.exists() and files.chain.exists() and files.key.exists()):
        return False
    server = x509.load_pem_x509_certificate(files.chain.read_bytes())
    return server.not_valid_after_utc > datetime.now(UTC) + _RENEW_BEFORE


def _make(files: Certificates) -> None:
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca_name = _name("Crosstie sandbox authority")
    ca = _certificate(ca_name, ca_name, ca_key.public_key(), ca_key, authority=True, names=())
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName(host) for host in _HOSTS]
    addresses = [x509.IPAddress(ipaddress.ip_address(address)) for address in _ADDRESSES]
    server = _certificate(
        _name("Crosstie sandbox"), ca_name, key.public_key(), ca_key, authority=False, names=[*names, *addresses]
    )
    files.ca.write_bytes(_pem(ca))
    files.chain.write_bytes(_pem(server) + _pem(ca))
    _write_secret(
        files.key,
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    signing_key: ec.EllipticCurvePrivateKey,
    authority: bool,
    names: Sequence[x509.GeneralName],
) -> x509.Certificate:
    """One certificate with the extensions that strict clients ask for."""
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _LIFE)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=0 if authority else None), critical=True)
        .add_extension(_usage(authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
    )
    if not authority:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        builder = builder.add_extension(usage, critical=False)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signing_key, hashes.SHA256())


def _usage(authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write_secret(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
