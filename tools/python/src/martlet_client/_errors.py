"""What can go wrong, each with what to do about it."""

from __future__ import annotations

from typing import Optional


class MartletError(Exception):
    """Any failure of this package.

    `str()` of it is one line: what happened and, after a semicolon, what to do. `status` is the
    status with which a gateway answered (`UNAVAILABLE`, ...), or None where none did.
    """

    def __init__(self, message: str, hint: str = "", status: Optional[str] = None) -> None:
        super().__init__(f"{message}; {hint}" if hint else message)
        self.message = message
        self.hint = hint
        self.status = status


class Unreachable(MartletError):
    """The broker cannot be reached, or the connection to it was lost and did not come back."""


class Refused(MartletError):
    """The broker or a gateway does not allow it: user name, password, certificate or rights."""


class Timeout(MartletError):
    """No answer came in time."""


class BadRequest(MartletError):
    """What was asked cannot be answered: no image, too large, an option that makes no sense."""


class NotReady(MartletError):
    """Nobody can answer just now: no gateway, no devices, too much to do. Asking later may work."""


class Failed(MartletError):
    """A gateway took the request and broke, or broke off its answer."""


LATER = "ask again in a while"


def of_status(code: int, status: str, message: str, sender: str) -> MartletError:
    """The exception for a reply's status (gRPC's codes; anything unknown is `Failed`)."""
    said = f"{sender}: {message}" if message else f"{sender} answered {status}"
    if code in (3, 5, 11):
        return BadRequest(said, "send a JPEG, a PNG, a WebP image or a safetensors tensor", status)
    if code == 12:
        return BadRequest(said, "name the group of a martlet gateway", status)
    if code == 4:
        return Timeout(said, "give more time, or see with martlet devices who is there", status)
    if code in (7, 16):
        return Refused(said, "ask whoever keeps the deployment for the right", status)
    if code == 8:
        return NotReady(said, "keep fewer requests in flight, or ask again in a while", status)
    if code in (9, 10):
        return NotReady(said, LATER, status)
    if code == 14:
        return NotReady(said, "see with martlet devices who is there, and ask again", status)
    return Failed(said, "the gateway's log says more", status)
