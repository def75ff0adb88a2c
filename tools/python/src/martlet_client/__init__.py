"""Asks the gateways of a Martlet deployment over MQTT: photographs in, answers out.

`Client` blocks, `AsyncClient` awaits. Both raise `MartletError`s that say what to do.
"""

from ._async import AsyncClient, AsyncResults
from ._client import Client, Results
from ._devices import Device
from ._errors import (
    BadRequest,
    Failed,
    MartletError,
    NotReady,
    Refused,
    Timeout,
    Unreachable,
)
from ._messages import Answer, Guess, Missing, Output

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "AsyncClient",
    "AsyncResults",
    "BadRequest",
    "Client",
    "Device",
    "Failed",
    "Guess",
    "MartletError",
    "Missing",
    "NotReady",
    "Output",
    "Refused",
    "Results",
    "Timeout",
    "Unreachable",
]
