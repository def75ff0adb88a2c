"""Requests to `inference/infer`."""

from __future__ import annotations

import json
import os
from typing import IO, Union

from ._errors import BadRequest

#: What a gateway takes at most, envelope included.
REQUEST_BYTES = 16777216
#: An envelope has a few hundred bytes.
PHOTO_BYTES = REQUEST_BYTES - 4096
LONGEST_S = 600.0

#: A path, the bytes themselves, or a file that is open for reading bytes.
Photo = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, IO[bytes]]


def photo_bytes(photo: Photo) -> bytes:
    """The bytes of a photograph: at least one, at most `PHOTO_BYTES`. Raises `BadRequest`."""
    if isinstance(photo, (bytes, bytearray, memoryview)):
        data = bytes(photo[: PHOTO_BYTES + 1])
        name = "the photograph"
    else:
        try:
            if isinstance(photo, (str, os.PathLike)):
                name = os.fspath(photo)
                with open(photo, "rb") as file:
                    data = file.read(PHOTO_BYTES + 1)
            else:
                name = str(getattr(photo, "name", "the file"))
                data = photo.read(PHOTO_BYTES + 1)
        except (OSError, ValueError, AttributeError) as error:
            raise BadRequest(f"cannot read {photo!r}: {error}", "give an image's path") from None
        if not isinstance(data, bytes):
            raise BadRequest(f"{name} is not open for reading bytes", "open it with mode 'rb'")
    if not data:
        raise BadRequest(f"{name} is empty", "give a JPEG, a PNG or a safetensors tensor")
    if len(data) > PHOTO_BYTES:
        raise BadRequest(
            f"{name} has more than {PHOTO_BYTES} bytes", "make it smaller: gateways take 16 MiB"
        )
    return data


def content_type(data: bytes) -> str:
    """What the bytes are, by their first ones; to gateways only a courtesy."""
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "image/webp"
    return "application/octet-stream"


def request(id: str, client: str, seconds: float, data: bytes) -> bytes:
    """The message that asks: one line of JSON, a line feed, the bytes."""
    envelope = {
        "id": id,
        "client": client,
        "deadline_ms": max(1, min(600000, int(seconds * 1000))),
        "content_type": content_type(data),
    }
    return json.dumps(envelope).encode() + b"\n" + data


def cancellation(id: str, client: str) -> bytes:
    """The message that ends a call."""
    return json.dumps({"id": id, "client": client, "deadline_ms": 1000}).encode()


def check_timeout(seconds: float) -> float:
    """Raises `BadRequest` for a time that no call can have."""
    if not 0.01 <= seconds <= LONGEST_S:
        raise BadRequest("timeout must be 0.01 to 600 seconds")
    return seconds
