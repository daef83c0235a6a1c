"""Endpoints over TLS, with certificates made for the tests."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import time
from pathlib import Path

import httpx
import psutil
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from modelwright.serve.certificates import check_current
from modelwright.serve.control import tell
from modelwright.serve.endpoint import Endpoints
from modelwright.serve.errors import InvalidSetting
from modelwright.serve.keys import Keys
from modelwright.serve.settings import EndpointSettings
from tests.inference.cars import car_request
from tests.serve.replicas import PRIMARY, package, running

KEYS = Keys.new()


def certificate(folder: Path, name: str, *, days: float = 1) -> dict[str, str]:
    """A certificate for this machine that nobody else has signed, as settings.  days: until it expires."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=30))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(exist_ok=True)
    (folder / "tls.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "tls.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return {"tls_certificate": str(folder / "tls.pem"), "tls_key": str(folder / "tls.key")}


def post(url: str, tls: dict[str, str], key: str = KEYS.primary) -> int:
    context = ssl.create_default_context(cafile=tls["tls_certificate"])
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.post(url, content=car_request(), headers=headers, verify=context).status_code


def test_an_endpoint_answers_over_tls_with_the_given_certificate(
    endpoints: Endpoints, tmp_path: Path
) -> None:
    first = certificate(tmp_path / "first", "first")
    status = endpoints.deploy("cars", package(tmp_path), keys=KEYS, endpoint=first)
    assert status.scoring_url.startswith("https://127.0.0.1:")
    assert post(status.scoring_url, first) == 200
    with pytest.raises(httpx.TransportError):
        httpx.get(status.base_url.replace("https", "http"))

    # Another certificate, while it serves; no call fails on the way.
    second = certificate(tmp_path / "second", "second")
    endpoints.change("cars", endpoint=second)
    deadline = time.monotonic() + 120
    both = tmp_path / "both.pem"
    both.write_text(
        Path(first["tls_certificate"]).read_text() + Path(second["tls_certificate"]).read_text()
    )
    while True:
        assert post(status.scoring_url, {"tls_certificate": str(both)}) == 200
        try:
            assert post(status.scoring_url, second) == 200
            break
        except httpx.ConnectError:
            assert time.monotonic() < deadline


def plainly(host: str, port: int) -> bytes:
    """What a new connection says to a request that is not encrypted; nothing when it is just closed."""
    with socket.create_connection((host, port), timeout=30) as channel:
        try:
            channel.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return channel.recv(100)
        except ConnectionError:
            return b""


def test_when_a_change_to_tls_is_done_no_new_connection_is_answered_without_it(
    endpoints: Endpoints, tmp_path: Path
) -> None:
    several = {"min_replicas": 3, "autoscale": False}
    status = endpoints.deploy("cars", package(tmp_path), keys=KEYS, deployment=several)
    assert plainly(status.host, status.port).startswith(b"HTTP/1.1 200")
    tls = certificate(tmp_path / "tls", "served")
    for encrypted in (True, False):
        wanted = tls if encrypted else dict.fromkeys(tls, "")
        status = endpoints.change("cars", endpoint=wanted)
        # At once, while those that are replaced may still be about to end.
        plain = [plainly(status.host, status.port)[:5] for _ in range(60)]
        assert (b"HTTP/" not in plain) if encrypted else (set(plain) == {b"HTTP/"})
    assert status.scoring_url.startswith("http://")


def shown(host: str, port: int) -> bytes:
    """The certificate that a new connection is shown, as PEM."""
    return ssl.get_server_certificate((host, port), timeout=30).encode()


def until_logged(endpoints: Endpoints, words: str) -> None:
    deadline = time.monotonic() + 120
    while not any(words in p.read_text(encoding="utf-8") for p in endpoints.logs("cars")):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_certificate_renewed_in_the_same_files_is_shown_without_a_restart(
    endpoints: Endpoints, tmp_path: Path
) -> None:
    files = certificate(tmp_path / "served", "first")
    status = endpoints.deploy("cars", package(tmp_path), keys=KEYS, endpoint=files)
    before = Path(files["tls_certificate"]).read_bytes()
    assert shown(status.host, status.port).strip() == before.strip()

    renewed = certificate(tmp_path / "renewed", "second")
    both = tmp_path / "both.pem"
    after = Path(renewed["tls_certificate"]).read_bytes()
    both.write_bytes(before + after)
    # The key first: until its certificate follows, the two that were there before are shown.
    Path(renewed["tls_key"]).replace(files["tls_key"])
    until_logged(endpoints, "cannot be used yet")
    assert shown(status.host, status.port).strip() == before.strip()
    assert endpoints.status("cars").replicas == status.replicas
    Path(renewed["tls_certificate"]).replace(files["tls_certificate"])
    deadline = time.monotonic() + 120
    while shown(status.host, status.port).strip() != after.strip():
        assert post(status.scoring_url, {"tls_certificate": str(both)}) == 200
        assert time.monotonic() < deadline
    # The former replica may have been given a last connection.
    while any(psutil.pid_exists(pid) for pid in status.replicas):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert post(status.scoring_url, files) == 200
    assert endpoints.status("cars").pid == status.pid


def test_a_replica_without_a_controller_changes_to_tls_and_back_by_itself(tmp_path: Path) -> None:
    first, second = certificate(tmp_path / "first", "1"), certificate(tmp_path / "second", "2")
    with running(package(tmp_path)) as replica:
        https = f"https://{replica.host}:{replica.port}/score"
        assert replica.score(car_request()).status_code == 200
        for files in (first, second):
            tell(replica.control, {"do": "change", "endpoint": files})
            assert post(https, files, PRIMARY) == 200
            assert not plainly(replica.host, replica.port).startswith(b"HTTP/")
        tell(replica.control, {"do": "change", "endpoint": {}})
        assert plainly(replica.host, replica.port).startswith(b"HTTP/1.1 200")
        with pytest.raises(httpx.TransportError):
            post(https, second, PRIMARY)
        replica.process.terminate()
        assert replica.process.wait(30) == 0


def test_certificates_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    good, other = certificate(tmp_path / "a", "a"), certificate(tmp_path / "b", "b")
    assert EndpointSettings.read(good).tls_key == good["tls_key"]
    for wrong in (
        {"tls_certificate": good["tls_certificate"]},
        {**good, "tls_key": str(tmp_path / "nowhere")},
        {**good, "tls_key": other["tls_key"]},
    ):
        with pytest.raises(InvalidSetting) as caught:
            EndpointSettings.read(wrong)
        assert caught.value.fields["setting"] == "tls_key"


def test_a_certificate_that_has_expired_is_refused_with_its_day(tmp_path: Path) -> None:
    files = certificate(tmp_path / "served", "served", days=1)
    now = datetime.datetime.now(datetime.UTC)
    later = now + datetime.timedelta(days=1, minutes=1)
    check_current(files, now)
    with pytest.raises(InvalidSetting, match=r"expired on 20\d\d-\d\d-\d\d \d\d:") as caught:
        check_current(files, later)
    assert caught.value.fields["setting"] == "tls_certificate"
    # Other settings, and files that are said to be wrong elsewhere, are none of its business.
    (tmp_path / "empty.pem").touch()
    for given in ({}, {"auth": "keys"}, {"tls_certificate": ""}):
        check_current(given, later)
    for name in ("empty.pem", "nowhere.pem"):
        check_current({"tls_certificate": str(tmp_path / name)}, later)
    # An endpoint that has one starts all the same, and can be given another.
    assert EndpointSettings.read(certificate(tmp_path / "old", "old", days=-1)).tls_key
