"""The sandbox's certificates."""

import os
import ssl
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from crosstie.sandbox import tls
from crosstie.sandbox.launch import Sandbox

from .client import ask


def test_they_are_made_once(tmp_path: Path) -> None:
    first = tls.certificates(tmp_path / "new")
    before = first.ca.read_bytes()
    assert tls.certificates(tmp_path / "new") == first
    assert first.ca.read_bytes() == before


def test_they_are_made_anew_before_they_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tls, "_LIFE", timedelta(days=3))
    before = tls.certificates(tmp_path).ca.read_bytes()
    monkeypatch.undo()
    files = tls.certificates(tmp_path)
    assert files.ca.read_bytes() != before
    assert x509.load_pem_x509_certificate(files.ca.read_bytes()).not_valid_after_utc > datetime.now(UTC)


def test_the_key_is_for_its_owner_only(tmp_path: Path) -> None:
    assert stat.S_IMODE(os.stat(tls.certificates(tmp_path).key).st_mode) == 0o600


def test_the_strictest_client_accepts_every_name(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = ssl.create_default_context

    def strict(cafile: str | None = None) -> ssl.SSLContext:
        context = plain(cafile=cafile)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    monkeypatch.setattr(ssl, "create_default_context", strict)
    ca = str(sandbox.certificates.ca)
    for name in ("127.0.0.1", "localhost"):
        assert ask(sandbox.dataverse.api_tls.replace("127.0.0.1", name), ca=ca).status == 200


def test_a_client_that_does_not_know_the_authority_refuses(sandbox: Sandbox) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        ask(sandbox.dataverse.api_tls)
