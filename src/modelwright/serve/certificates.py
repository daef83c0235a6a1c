"""Certificates of endpoints that answer elsewhere than on this machine, and get copies of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from modelwright.serve.errors import InvalidSetting
from modelwright.serve.settings import EndpointSettings

CERTIFICATE, KEY = "tls.pem", "tls.key"
"""What the copies are called."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate with its chain and its private key, as PEM."""

    certificate: bytes
    key: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """Names the pair without telling anything of it."""
        return hashlib.sha256(self.certificate + b"\0" + self.key).hexdigest()

    def files(self) -> dict[str, bytes]:
        """The copies by name."""
        return {CERTIFICATE: self.certificate, KEY: self.key}

    def put(self, folder: Path) -> dict[str, str]:
        """Write both for this user alone, and give them as settings."""
        for name, content in self.files().items():
            path = folder / name
            path.touch(mode=0o600)
            path.write_bytes(content)
        return settings_in(str(folder))


def pair_of(endpoint: Mapping[str, Any]) -> Pair | None:
    """The files that the settings of an endpoint name, once they fit each other; None without TLS.

    Raises InvalidSetting.
    """
    settings = EndpointSettings.read(endpoint)
    if not settings.tls_certificate:
        return None
    try:
        return Pair(
            Path(settings.tls_certificate).read_bytes(), Path(settings.tls_key).read_bytes()
        )
    except OSError as error:
        raise InvalidSetting(
            "tls_key", settings.tls_key, f"a file that can be read ({error.strerror})"
        ) from None


def check_current(endpoint: Mapping[str, Any], now: datetime) -> None:
    """Raise InvalidSetting where the given certificate has expired: every caller would refuse it.

    endpoint: settings that somebody gives now; one that expires while it is shown goes on being shown.
    """
    from cryptography import x509

    path = endpoint.get("tls_certificate")
    if not path or not isinstance(path, str):
        return
    try:
        found = x509.load_pem_x509_certificates(Path(path).read_bytes())
    except (OSError, ValueError):
        # What is wrong with such a file is said by who reads the settings.
        return
    end = found[0].not_valid_after_utc
    if end <= now:
        raise InvalidSetting(
            "tls_certificate",
            path,
            f"a certificate that is valid (this one expired on {end:%F %T} UTC)",
        )


def named(pair: Pair | None) -> str:
    """The digest of a pair; empty for None."""
    return pair.digest if pair is not None else ""


def settings_in(folder: str) -> dict[str, str]:
    """The settings of an endpoint whose copies are in a folder."""
    return {"tls_certificate": f"{folder}/{CERTIFICATE}", "tls_key": f"{folder}/{KEY}"}


def shown_by(settings: EndpointSettings) -> str:
    """What changes when there is another certificate, also in the same files; empty without TLS."""
    if not settings.tls_certificate:
        return ""
    files = (Path(settings.tls_certificate), Path(settings.tls_key))
    return Pair(*(file.read_bytes() for file in files)).digest
