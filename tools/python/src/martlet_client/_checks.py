"""Reading JSON that anybody may have written: everything is checked, nothing is believed."""

from __future__ import annotations

import json
import math
import re
from typing import Any, List, NoReturn, Optional

LARGEST_WHOLE = 2**53 - 1
_IDENTIFIER = re.compile(r"[a-z0-9_-]{1,32}")


class Malformed(ValueError):
    """A message that does not fit the contract; the text says where."""


def is_identifier(text: str) -> bool:
    """Whether it can be a part of a topic: 1 to 32 of a-z, 0-9, _ and -."""
    return _IDENTIFIER.fullmatch(text) is not None


def _whole(text: str) -> int:
    # A number of a hundred thousand digits would take seconds to convert.
    if len(text) > 20:
        raise Malformed("a number has more than 20 digits")
    return int(text)


def _constant(text: str) -> NoReturn:
    raise Malformed(f"{text} is no JSON")


def parse(payload: bytes, limit: int) -> Fields:
    """The object that a payload of at most `limit` bytes is."""
    if len(payload) > limit:
        raise Malformed(f"longer than {limit} bytes")
    try:
        value = json.loads(
            payload.decode("utf-8"), parse_int=_whole, parse_constant=_constant
        )
    except Malformed:
        raise
    except RecursionError:
        raise Malformed("nested too deep") from None
    except ValueError as error:
        raise Malformed(f"no JSON: {str(error)[:100]}") from None
    return Fields(value, "")


class Fields:
    """An object's fields. A method given a `default` returns it for a field that is absent or null;
    without one such a field is `Malformed`, as is one of another type or out of its range."""

    def __init__(self, value: object, path: str) -> None:
        if not isinstance(value, dict):
            raise Malformed(f"{path or 'the message'} is no object")
        self._value = value
        self._path = path

    def _fail(self, name: str, what: str) -> NoReturn:
        raise Malformed(f"{self._path}{name} {what}")

    def has(self, name: str) -> bool:
        return self._value.get(name) is not None

    def _get(self, name: str) -> Any:
        value = self._value.get(name)
        if value is None:
            self._fail(name, "is missing")
        return value

    def _as_text(self, name: str, value: object, at_most: int) -> str:
        if not isinstance(value, str):
            self._fail(name, "is no text")
        try:
            size = len(value.encode("utf-8"))
        except UnicodeEncodeError:
            self._fail(name, "is no Unicode")
        if size > at_most:
            self._fail(name, f"has more than {at_most} bytes")
        return value

    def text(self, name: str, at_most: int) -> str:
        return self._as_text(name, self._get(name), at_most)

    def text_or_none(self, name: str, at_most: int) -> Optional[str]:
        return self.text(name, at_most) if self.has(name) else None

    def identifier(self, name: str) -> str:
        text = self.text(name, 32)
        if not is_identifier(text):
            self._fail(name, "is no identifier")
        return text

    def whole(self, name: str, low: int = 0, high: int = LARGEST_WHOLE) -> int:
        value = self._get(name)
        if type(value) is not int or not low <= value <= high:
            self._fail(name, f"is no whole number from {low} to {high}")
        return value

    def whole_or_none(self, name: str, low: int = 0, high: int = LARGEST_WHOLE) -> Optional[int]:
        return self.whole(name, low, high) if self.has(name) else None

    def number(self, name: str, low: float = -math.inf, high: float = math.inf) -> float:
        value = self._get(name)
        if type(value) not in (int, float) or not math.isfinite(value):
            self._fail(name, "is no number")
        if not low <= value <= high:
            self._fail(name, f"is not from {low:g} to {high:g}")
        return float(value)

    def number_or_none(
        self, name: str, low: float = -math.inf, high: float = math.inf
    ) -> Optional[float]:
        return self.number(name, low, high) if self.has(name) else None

    def flag(self, name: str) -> bool:
        value = self._get(name)
        if not isinstance(value, bool):
            self._fail(name, "is neither true nor false")
        return value

    def flag_or_none(self, name: str) -> Optional[bool]:
        return self.flag(name) if self.has(name) else None

    def _list(self, name: str, at_most: int) -> List[Any]:
        value = self._get(name)
        if not isinstance(value, list):
            self._fail(name, "is no list")
        if len(value) > at_most:
            self._fail(name, f"has more than {at_most} elements")
        return value

    def objects(self, name: str, at_most: int) -> List[Fields]:
        """The list's objects; empty if there is none."""
        if not self.has(name):
            return []
        return [
            Fields(value, f"{self._path}{name}[{index}].")
            for index, value in enumerate(self._list(name, at_most))
        ]

    def object_or_none(self, name: str) -> Optional[Fields]:
        return Fields(self._get(name), f"{self._path}{name}.") if self.has(name) else None

    def identifiers(self, name: str, at_most: int = 256) -> List[str]:
        """The list's identifiers; empty if there is none."""
        if not self.has(name):
            return []
        texts = [self._as_text(name, value, 32) for value in self._list(name, at_most)]
        if not all(map(is_identifier, texts)):
            self._fail(name, "holds what is no identifier")
        return texts

    def wholes(self, name: str, at_most: int) -> List[int]:
        values = self._list(name, at_most)
        if not all(type(value) is int and 0 <= value <= LARGEST_WHOLE for value in values):
            self._fail(name, "holds what is no whole number")
        return values
