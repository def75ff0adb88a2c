"""Where the broker is and how to log in: the same as the options of the martlet commands."""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from dataclasses import dataclass
from typing import Optional, Tuple, Union
from urllib.parse import unquote_to_bytes

from ._checks import is_identifier
from ._errors import BadRequest

StrPath = Union[str, "os.PathLike[str]"]
_HINT = "write mqtt://HOST:PORT, mqtts://HOST:PORT or unix:/PATH"


@dataclass(frozen=True)
class Broker:
    """An address, and who calls."""

    #: A host name or address, or with `port` 0 the path of a Unix socket.
    host: str
    port: int
    tls: bool
    username: Optional[str]
    #: Never part of `repr` or of a message.
    password: Optional[str]
    ca: Optional[StrPath] = None
    cert: Optional[StrPath] = None
    key: Optional[StrPath] = None

    def __str__(self) -> str:
        if self.port == 0:
            return f"unix:{self.host}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if self.tls else 'mqtt'}://{host}:{self.port}"

    __repr__ = __str__

    def tls_context(self) -> Optional[ssl.SSLContext]:
        """What the connection is encrypted with, or None for none. Raises `BadRequest` for files
        that cannot be used."""
        if not self.tls:
            return None
        context = ssl.create_default_context()
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        file: Optional[StrPath] = self.ca
        try:
            if self.ca is not None:
                context = ssl.create_default_context(cafile=os.fspath(self.ca))
                context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.cert is not None:
                file = self.cert
                # A key that is itself encrypted is refused rather than asked for on a terminal.
                context.load_cert_chain(self.cert, self.key, password=lambda: "")
        except (OSError, ValueError) as error:
            raise BadRequest(f"cannot use {file}: {error}", "give a PEM file") from None
        return context


def broker(
    address: str,
    *,
    username: Optional[str] = None,
    password: Optional[str] = None,
    password_file: Optional[StrPath] = None,
    ca: Optional[StrPath] = None,
    cert: Optional[StrPath] = None,
    key: Optional[StrPath] = None,
    allow_plaintext: bool = False,
) -> Broker:
    """Reads the address and the options.

    The password is the first of: `password`, the first line of `password_file`, the environment's
    MARTLET_PASSWORD, the address's. Raises `BadRequest`; no message repeats a password.
    """
    host, port, tls, user, secret = _parse(address)
    user = username if username is not None else user
    if password is not None:
        secret = password
    elif password_file is not None:
        secret = _first_line(password_file)
    else:
        secret = os.environ.get("MARTLET_PASSWORD", secret)
    if key is not None and cert is None:
        raise BadRequest("a key without a certificate", "give cert, too")
    if not tls and (ca is not None or cert is not None):
        raise BadRequest("ca, cert and key are for TLS", "write mqtts://HOST:PORT")
    if not (tls or allow_plaintext or _is_local(host, port)):
        raise BadRequest(
            f"the connection to {host} would not be encrypted",
            "use mqtts:// (TLS), or allow_plaintext=True on a network you trust",
        )
    if secret is not None and user is None:
        # The broker could not know whose it is; MARTLET_PASSWORD may be there for others.
        secret = None
    return Broker(host, port, tls, user, secret, ca, cert, key)


def limit_handshakes(context: ssl.SSLContext, seconds: float) -> None:
    """Gives up a handshake after a while; paho 1 waits as long as the keep-alive, and no version
    closes the connection."""

    class Limited(ssl.SSLSocket):
        def do_handshake(self, block: bool = False) -> None:
            before = self.gettimeout()
            self.settimeout(seconds)
            try:
                super().do_handshake(block)
            except BaseException:
                self.close()
                raise
            self.settimeout(before)

    context.sslsocket_class = Limited


def client_name(user: Optional[str], random: str) -> str:
    """The `<client>` of topics: the user name if it can be one, because rights go by users."""
    return user if user is not None and is_identifier(user) else f"py-{random}"


def _first_line(path: StrPath) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read(4097)
    except (OSError, ValueError) as error:
        raise BadRequest(f"cannot read the password file {path}: {error}") from None
    if len(text) > 4096 or not text.splitlines():
        raise BadRequest(
            f"{path} holds no password", "put it, of at most 4096 characters, on the first line"
        )
    return text.splitlines()[0]


def _parse(address: str) -> Tuple[str, int, bool, Optional[str], Optional[str]]:
    if not address or re.search(r"[\x00-\x20\x7f]", address):
        raise BadRequest("the broker's address is empty or holds spaces", _HINT)
    for prefix in ("unix://", "unix:"):
        if address.startswith(prefix):
            path = address[len(prefix) :]
            if not path.startswith("/") or len(os.fsencode(path)) > 107:
                raise BadRequest("unix: needs an absolute path of at most 107 bytes", _HINT)
            return path, 0, False, None, None
    tls, rest = False, address
    if address.startswith("mqtts://"):
        tls, rest = True, address[8:]
    elif address.startswith("mqtt://"):
        rest = address[7:]
    elif "://" in address:
        raise BadRequest("the broker's address has an unknown scheme", _HINT)
    if rest.endswith("/"):
        rest = rest[:-1]
    login, at, rest = rest.rpartition("@")
    user: Optional[str] = None
    secret: Optional[str] = None
    if at:
        name, colon, word = login.partition(":")
        user = _decoded(name, "user name")
        if not user:
            raise BadRequest("the broker's address has an empty user name", _HINT)
        secret = _decoded(word, "password") if colon else None
    match = re.fullmatch(r"(?:\[([^\[\]/]+)\]|([^\[\]:/]+))(?::([0-9]{1,5}))?", rest)
    if match is None:
        raise BadRequest("the broker's address has no readable host and port", _HINT)
    host = match[1] or match[2]
    port = int(match[3]) if match[3] else 8883 if tls else 1883
    if not 1 <= port <= 65535 or len(host.encode()) > 253:
        raise BadRequest("the broker's port must be 1 to 65535, its host 1 to 253 bytes", _HINT)
    return host, port, tls, user, secret


def _decoded(text: str, what: str) -> str:
    if re.search(r"%(?![0-9a-fA-F]{2})|%00", text) is None:
        try:
            return unquote_to_bytes(text).decode("utf-8")
        except UnicodeDecodeError:
            pass
    raise BadRequest(f"the broker's address has an unreadable {what}", "percent-encode it")


def _is_local(host: str, port: int) -> bool:
    if port == 0 or host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
