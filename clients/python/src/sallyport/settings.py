"""Where Sallyport is and who calls it: what a client is made with, from code or from the environment."""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PREFIX = "SALLYPORT_CLIENT_"
MAX_ORIGINS = 20
_ADDRESS = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+):(?P<port>[0-9]{1,5})")
_KEY = re.compile(r"sk_(live|test)_[0-9A-Za-z]{65}")
_TENANT = re.compile(r"[a-z][a-z0-9-]{0,62}")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[^/?#\s@]+")
_ADDRESS_FORM = "host:port, a list of IP addresses of one version (10.0.0.1:50051,10.0.0.2:50051), or dns:///host:port"


class SettingsError(ValueError):
    """A setting is missing or unusable. The message names the variable, what is wrong and what is accepted; never a secret."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a client is made with. Raises SettingsError, which names the environment's variable of the field."""

    address: str
    """`host:port` of the gRPC port. Several replicas: one name that resolves to all of them, or a list of IP addresses
    separated by commas. Example: `10.0.0.5:50051,10.0.0.6:50051`."""
    api_key: str = field(default="", repr=False)
    """The key of this service in tenant `sallyport`, `sk_live_...`. Empty only with a client certificate that names the service."""
    tenant: str = "default"
    """Of the end users."""
    ca_file: str = ""
    """PEM file of the authority that signed the server's certificate. Empty: the system's authorities."""
    cert_file: str = ""
    """PEM file of the client certificate chain, for mutual TLS, with `key_file`."""
    key_file: str = ""
    """PEM file of its private key."""
    server_name: str = ""
    """Name that the server's certificate must have, where it is not the host of the address."""
    allow_plaintext: bool = False
    """Permits a connection without TLS to another machine: for a mesh or proxy that encrypts."""
    timeout: float = 3.0
    """Seconds that a call may take, its retries included; 0.1 to 600."""
    login_timeout: float = 10.0
    """The same for calls that hash a password or check a code."""
    audience: str = ""
    """This service's name in the `aud` of access tokens. Empty: the guards accept no access token."""
    issuer: str = ""
    """`iss` of the tenant's access tokens. With it they are verified in this process; without it, VerifyToken is asked about each."""
    origins: tuple[str, ...] = ()
    """Origins of the application's own pages, at most 20. Empty: that of the request. Example: `https://shop.example.com`."""

    def __post_init__(self) -> None:
        if not self.address:
            raise _wrong("address", f"is not set; accepted: {_ADDRESS_FORM}")
        self._check_list()
        if not self.api_key and not self.cert_file:
            raise _wrong("api_key", "is not set: the key of this service, sk_...")
        if self.api_key and _KEY.fullmatch(self.api_key) is None:
            raise _wrong("api_key", "is not an API key; accepted: sk_live_ or sk_test_ and 65 letters and digits")
        if _TENANT.fullmatch(self.tenant) is None:
            raise _wrong("tenant", "is not a tenant; accepted: 1 to 63 lower-case letters, digits or -")
        if bool(self.cert_file) != bool(self.key_file):
            raise _wrong(
                "key_file" if self.cert_file else "cert_file", "is not set, and certificate and key go together"
            )
        self._check_files()
        for name in ("timeout", "login_timeout"):
            if not 0.1 <= getattr(self, name) <= 600:
                raise _wrong(name, "is not from 0.1 to 600 s", suffix="_MS")
        if len(self.origins) > MAX_ORIGINS or any(_ORIGIN.fullmatch(origin) is None for origin in self.origins):
            raise _wrong("origins", f"must be at most {MAX_ORIGINS} of scheme, host and port: https://shop.example.com")

    @property
    def endpoints(self) -> tuple[tuple[str, int], ...]:
        """Host (IPv6 without brackets) and port of each address."""
        return tuple(_endpoint(one.strip()) for one in self.address.removeprefix("dns:///").split(","))

    @property
    def uses_tls(self) -> bool:
        """TLS, unless every address is this machine's or plaintext is permitted. Files for TLS ask for it anywhere."""
        if self.ca_file or self.cert_file or self.server_name:
            return True
        return not self.allow_plaintext and not all(_is_loopback(host) for host, _ in self.endpoints)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Reads SALLYPORT_CLIENT_ADDRESS, SALLYPORT_CLIENT_API_KEY (or SALLYPORT_CLIENT_API_KEY_FILE) and the optional variables of
        the other fields, named alike; SALLYPORT_CLIENT_TIMEOUT_MS and _LOGIN_TIMEOUT_MS are in ms. Raises SettingsError.
        """
        variables = os.environ if environ is None else environ
        given: dict[str, Any] = {"address": ""}
        for name in cls.__slots__:
            value = variables.get(PREFIX + name.upper(), "").strip()
            if value and not name.endswith("timeout"):
                given[name] = value
        for name in ("timeout", "login_timeout"):
            if value := variables.get(f"{PREFIX}{name.upper()}_MS", "").strip():
                given[name] = int(value) / 1000 if value.isdecimal() else 0
        if "allow_plaintext" in given:
            if given["allow_plaintext"] not in ("true", "false"):
                raise _wrong("allow_plaintext", "must be true or false")
            given["allow_plaintext"] = given["allow_plaintext"] == "true"
        if "origins" in given:
            given["origins"] = tuple(origin.strip() for origin in given["origins"].split(","))
        if "api_key" not in given and (path := variables.get(f"{PREFIX}API_KEY_FILE", "").strip()):
            given["api_key"] = _secret_in(path)
        return cls(**given)

    def _check_files(self) -> None:
        if bool(self.cert_file) != bool(self.key_file):
            missing = "key_file" if self.cert_file else "cert_file"
            raise _wrong(missing, "is not set, and certificate and key go together")
        for name in ("ca_file", "cert_file", "key_file"):
            path = getattr(self, name)
            if path and not Path(path).is_file():
                raise _wrong(name, f"names a file that is not there: {path}")

    def _check_list(self) -> None:
        versions = {None if (ip := _ip_of(host)) is None else ip.version for host, _ in self.endpoints}
        if len(self.endpoints) > 1 and (None in versions or len(versions) > 1):
            raise _wrong("address", f"is a list of something else than IP addresses; accepted: {_ADDRESS_FORM}")


def _wrong(name: str, problem: str, suffix: str = "") -> SettingsError:
    return SettingsError(f"{PREFIX}{name.upper()}{suffix} {problem}")


def _secret_in(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise _wrong("api_key_file", f"names a file that cannot be read ({error.strerror})") from None


def _endpoint(text: str) -> tuple[str, int]:
    match = _ADDRESS.fullmatch(text)
    host = "" if match is None else match["host"]
    is_ipv6 = (ip := _ip_of(host.strip("[]"))) is not None and ip.version == 6
    if match is None or not 0 < int(match["port"]) < 65536 or is_ipv6 != host.startswith("["):
        raise _wrong("address", f"is not an address; accepted: {_ADDRESS_FORM}")
    return host.strip("[]"), int(match["port"])


def _ip_of(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    address = _ip_of(host)
    return host.lower() == "localhost" if address is None else address.is_loopback
