"""Results as they come."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Callable, Deque, Optional, Tuple

from ._checks import is_identifier
from ._errors import BadRequest
from ._messages import Answer

#: What may wait for a slow reader; then the oldest is dropped.
MOST_WAITING = 1000


class Stream:
    """Hands results from the network's thread to a reader."""

    def __init__(self, client: str, notify: Optional[Callable[[], None]] = None) -> None:
        if client != "+" and not is_identifier(client):
            raise BadRequest("client must be '+', or 1 to 32 of a-z, 0-9, _ and -")
        self.client = client
        self.dropped = 0
        self._notify = notify
        self._condition = threading.Condition()
        self._waiting: Deque[Answer] = deque()
        self._last: Optional[Tuple[Optional[str], int, int]] = None
        self._ended = False

    def wants(self, client: str) -> bool:
        return self.client in ("+", client)

    def put(self, answer: Answer) -> None:
        # Brokers may send one message for each subscription that fits, or twice.
        key = (answer.client, answer.epoch, answer.seq)
        with self._condition:
            if key == self._last or self._ended:
                return
            self._last = key
            if len(self._waiting) >= MOST_WAITING:
                self._waiting.popleft()
                self.dropped += 1
            self._waiting.append(answer)
            self._condition.notify_all()
        if self._notify is not None:
            self._notify()

    def end(self) -> None:
        with self._condition:
            self._ended = True
            self._condition.notify_all()
        if self._notify is not None:
            self._notify()

    @property
    def ended(self) -> bool:
        """Whether nothing more will come than what waits."""
        return self._ended

    def take(self) -> Optional[Answer]:
        """The next result, if one is there."""
        with self._condition:
            return self._waiting.popleft() if self._waiting else None

    def wait(self, timeout: Optional[float]) -> Optional[Answer]:
        """The next result; None at the end, or after `timeout` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        with self._condition:
            while not self._waiting and not self._ended:
                left = None if end is None else end - time.monotonic()
                if left is not None and left <= 0:
                    return None
                self._condition.wait(left)
            return self._waiting.popleft() if self._waiting else None
