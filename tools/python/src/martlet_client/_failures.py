"""What the network's and the broker's failures mean, in words."""

from __future__ import annotations

import socket
import ssl
from typing import Optional

from ._broker import Broker
from ._errors import BadRequest, Failed, MartletError, NotReady, Refused, Timeout, Unreachable

#: MQTT 5's reason with which a broker says that nobody listens.
NO_SUBSCRIBERS = 0x10


def connecting(broker: Broker, error: Exception) -> MartletError:
    """For what `connect` raised."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Unreachable(
            f"the certificate of {broker} is not trusted: {error.verify_message}",
            "ca must be the file of the authority that signed it, and the address the name in it",
        )
    if isinstance(error, ssl.SSLError):
        return Unreachable(
            f"no TLS with {broker}: {error.reason or error}",
            "is the port right? One without TLS wants mqtt://, one for certificates cert and key",
        )
    if isinstance(error, socket.gaierror):
        return Unreachable(f"there is no host {broker.host}", "check the broker's address")
    if isinstance(error, ConnectionRefusedError):
        return Unreachable(f"nothing listens at {broker}", "start the broker, or check the port")
    return Unreachable(f"cannot connect to {broker}: {error}", "check the address and the network")


def refused(broker: Broker, code: int, reason: str) -> MartletError:
    """For a connection that the broker itself does not accept."""
    if code in (0x85, 0x86, 0x87, 0x8A, 0x8C):
        return Refused(
            f"{broker} refuses the connection ({reason})", "check user name and password"
        )
    return Unreachable(f"{broker} refuses the connection ({reason})", "it must speak MQTT 5")


def closed(broker: Broker) -> MartletError:
    """For a connection that ended before the broker had said anything."""
    return Unreachable(
        f"{broker} closed the connection at once", "a port with TLS wants mqtts://, one for "
        "certificates cert and key"
    )


def lost(broker: Broker) -> MartletError:
    """For a connection that was there."""
    return Unreachable(f"the connection to {broker} is lost", "it is tried again; ask later")


def not_subscribed(path: str, code: int) -> MartletError:
    return Refused(
        f"the broker does not allow to read {path} (0x{code:02X})",
        "log in as the user whose topic it is, or have the right given",
    )


def not_taken(code: int, group: str, name: str) -> Optional[MartletError]:
    """For the acknowledgement of a request; None if it was taken."""
    if code == NO_SUBSCRIBERS:
        return NotReady(
            f"no gateway of the group {group} is there",
            "start martlet gateway, or name its group and deployment",
        )
    if code < 0x80:
        return None
    if code == 0x87:
        return Refused(
            f"the broker does not let {name} call the group {group}", "have the right given"
        )
    if code == 0x97:
        return NotReady("the broker's quota is used up", "ask again in a while")
    if code == 0x95:
        return BadRequest("the photograph is larger than the broker takes", "make it smaller")
    return Failed(f"the broker did not take the request (0x{code:02X})", "its log says more")


def late(group: str, name: str, complaint: str) -> MartletError:
    if complaint:
        return Timeout(f"no usable answer in time: {complaint}", "do versions and users fit?")
    return Timeout(
        f"no answer in time from a gateway of the group {group}",
        f"does one run there, and may {name} call it and read its replies?",
    )
