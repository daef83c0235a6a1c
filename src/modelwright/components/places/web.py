"""Downloads over HTTP that lead nowhere but into the public network, unless that is allowed."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import time
import zlib
from collections.abc import Callable, Iterator
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import Path, PurePosixPath
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from modelwright.components.places.connection import Reach
from modelwright.components.places.errors import (
    AddressNotAllowed,
    DownloadFailed,
    DownloadTooLarge,
    InvalidAddress,
)

ATTEMPTS = 4
"""How often a file is asked for before the step fails: once, and three times more."""

_CONNECT_S = 15.0
_READ_S = 60.0
_MOST_REDIRECTS = 5
_LONGEST_WAIT_S = 30.0
_CHUNK = 1 << 20
_REDIRECTS = (301, 302, 303, 307, 308)
_SAFE = "/%:@!$&'()*+,;=~-._"
_TRANSIENT = (408, 425, 429, 500, 502, 503, 504)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Addresses of IPv6 that stand for one of IPv4.
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")


class _Transient(Exception):
    """What may go better the next time.  wait_s: as the server asked for."""

    def __init__(self, why: str, wait_s: float | None = None) -> None:
        super().__init__(why)
        self.wait_s = wait_s


def download(
    address: str,
    folder: Path,
    *,
    reach: Reach,
    pause: Callable[[float], None] = time.sleep,
    log: Callable[[str], None] = lambda line: None,
) -> Path:
    """The file at a web address, written into the folder under the name that it has there.

    pause: waits between attempts, given seconds.
    Raises InvalidAddress, AddressNotAllowed, DownloadTooLarge and DownloadFailed.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _followed(address, folder, reach)
        except _Transient as fault:
            if attempt == ATTEMPTS:
                raise DownloadFailed(address, str(fault), attempts=attempt) from None
            wait_s = fault.wait_s if fault.wait_s is not None else 0.5 * 2 ** (attempt - 1)
            log(f"{address}: {fault}; trying again in {wait_s:g} s.")
            pause(wait_s)
    raise AssertionError("the last attempt ends the loop")


def _followed(address: str, folder: Path, reach: Reach) -> Path:
    here = address
    for _ in range(_MOST_REDIRECTS + 1):
        parts = _parts(here)
        connection = _connect(here, parts, reach)
        try:
            with _ask(connection, parts) as response:
                if response.status not in _REDIRECTS or not (to := response.getheader("Location")):
                    _refuse(address, response)
                    path = folder / _file_name(response, parts)
                    _receive(address, response, path, reach.largest_download)
                    return path
            target = urljoin(here, to)
            if parts.scheme == "https" and urlsplit(target).scheme != "https":
                raise InvalidAddress(target, f"{here} leads there, out of encryption")
            here = target
        except (OSError, http.client.HTTPException) as error:
            raise _Transient(_reason(error)) from error
        finally:
            connection.close()
    raise DownloadFailed(address, f"it was redirected more than {_MOST_REDIRECTS} times")


def _parts(address: str) -> SplitResult:
    try:
        parts = urlsplit(address.strip())
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise InvalidAddress(address, str(error).lower()) from None
    if parts.scheme not in ("http", "https"):
        raise InvalidAddress(address, "it does not begin with http:// or https://")
    if not host:
        raise InvalidAddress(address, "it names no server")
    if parts.username is not None:
        raise InvalidAddress(address, "it holds an account, and only public files are read")
    return parts


def _connect(address: str, parts: SplitResult, reach: Reach) -> http.client.HTTPConnection:
    """A line to the server, to an address that was looked at: a second look-up may give another."""
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = _addresses(address, host, port)
    for one in found:
        if not _is_public(one) and not _is_allowed(host, one, reach):
            raise AddressNotAllowed(address, host, str(one))
    fault: OSError | None = None
    for one in found:
        try:
            line = socket.create_connection((str(one), port), _CONNECT_S)
        except OSError as error:
            fault = error
            continue
        line.settimeout(_READ_S)
        connection = http.client.HTTPConnection(host, port)
        try:
            if parts.scheme == "https":
                line = ssl.create_default_context().wrap_socket(line, server_hostname=host)
        except ssl.SSLCertVerificationError as error:
            line.close()
            raise DownloadFailed(
                address, f"its certificate is not valid ({_reason(error)})"
            ) from error
        except OSError as error:
            line.close()
            raise _Transient(_reason(error)) from error
        connection.sock = line
        return connection
    raise _Transient(_reason(fault) if fault else "no address answers")


def _addresses(address: str, host: str, port: int) -> list[Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
            raise _Transient(f'the name "{host}" cannot be looked up now') from None
        raise InvalidAddress(address, f'the name "{host}" is not known') from None
    # A zone (%eth0) is no part of the address.
    texts = dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found)
    return [ipaddress.ip_address(text) for text in texts]


def _is_public(address: Address) -> bool:
    inner: Address | None = None
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address.teredo:
            inner = address.teredo[1]
        if address in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if inner is not None:
        return _is_public(inner)
    return address.is_global and not address.is_multicast and not address.is_reserved


def _is_allowed(host: str, address: Address, reach: Reach) -> bool:
    for allowed in reach.hosts:
        if allowed.lower() == host.lower():
            return True
        try:
            if address in ipaddress.ip_network(allowed, strict=False):
                return True
        except ValueError:
            continue
    return False


def _ask(connection: http.client.HTTPConnection, parts: SplitResult) -> http.client.HTTPResponse:
    target = quote(parts.path or "/", safe=_SAFE)
    if parts.query:
        target += "?" + quote(parts.query, safe=_SAFE + "?")
    headers = {"User-Agent": "modelwright", "Accept": "*/*", "Accept-Encoding": "identity"}
    connection.request("GET", target, headers=headers)
    return connection.getresponse()


def _refuse(address: str, response: http.client.HTTPResponse) -> None:
    if response.status == 200:
        return
    words = f"the server answers {response.status} {response.reason}".rstrip()
    if response.status in _TRANSIENT:
        raise _Transient(words, _asked_wait(response))
    if response.status in (401, 403, 407):
        words += ", and only public files are read"
    raise DownloadFailed(address, words)


def _asked_wait(response: http.client.HTTPResponse) -> float | None:
    text = response.getheader("Retry-After", "")
    if text.isdecimal():
        return min(float(text), _LONGEST_WAIT_S)
    try:
        wait_s = parsedate_to_datetime(text).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return min(max(wait_s, 0.0), _LONGEST_WAIT_S)


def _receive(address: str, response: http.client.HTTPResponse, path: Path, limit: int) -> None:
    length = response.getheader("Content-Length", "")
    if length.isdecimal() and int(length) > limit:
        raise DownloadTooLarge(address, limit)
    encoding = response.getheader("Content-Encoding", "identity").lower()
    if encoding not in ("identity", "", "gzip", "x-gzip"):
        raise DownloadFailed(address, f'the server compresses it as "{encoding}"')
    unpack = _Unpacked() if "gzip" in encoding else None
    received = written = 0
    with path.open("wb") as file:
        while chunk := response.read(_CHUNK):
            received += len(chunk)
            try:
                for part in (chunk,) if unpack is None else unpack.parts(chunk):
                    written += file.write(part)
                    if written > limit:
                        raise DownloadTooLarge(address, limit)
            except zlib.error:
                why = "what the server says to be gzip cannot be unpacked"
                raise DownloadFailed(address, why) from None
    if received and unpack is not None and not unpack.ended:
        raise _Transient(f"the line broke after {received} bytes, within what is compressed")
    if length.isdecimal() and received < int(length):
        raise _Transient(f"the line broke after {received} of {length} bytes")


class _Unpacked:
    """Bytes of gzip, unpacked as they come; there may be several such files in a row."""

    def __init__(self) -> None:
        self._plain = zlib.decompressobj(31)

    @property
    def ended(self) -> bool:
        """Whether no more has to come."""
        return self._plain.eof

    def parts(self, chunk: bytes) -> Iterator[bytes]:
        """What the chunk holds; raises zlib.error when it is no gzip."""
        while chunk:
            if self._plain.eof:
                # Some programs fill up with zeros.
                if not (chunk := chunk.lstrip(b"\0")):
                    return
                self._plain = zlib.decompressobj(31)
            # A small file may unpack to any number of bytes.
            yield self._plain.decompress(chunk, _CHUNK)
            chunk = self._plain.unused_data if self._plain.eof else self._plain.unconsumed_tail


def _file_name(response: http.client.HTTPResponse, parts: SplitResult) -> str:
    told = Message()
    told["Content-Disposition"] = response.getheader("Content-Disposition", "")
    name = told.get_filename() or unquote(parts.path)
    name = PurePosixPath(name.replace("\\", "/")).name.lstrip(".")
    return "".join(c for c in name if c.isprintable())[-100:] or "download"


def _reason(error: BaseException) -> str:
    if isinstance(error, TimeoutError):
        return "the server does not answer in time"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).rstrip(".").lower()
