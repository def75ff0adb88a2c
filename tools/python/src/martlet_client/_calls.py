"""A call under way, and what its replies come to."""

from __future__ import annotations

import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Optional, Set, Union

from ._checks import Fields, Malformed
from ._errors import MartletError, of_status
from ._messages import Answer, Reply, answer


@dataclass
class Call:
    """A call under way. Its replies are taken on the network's thread alone."""

    id: str
    data: bytes
    #: When it is over, on the monotonic clock.
    end: float
    future: Future[Answer] = field(default_factory=Future)
    #: Send it again after so many seconds without an answer.
    resend_after: Optional[float] = None
    #: MQTT's numbers of its requests that are not acknowledged yet.
    mids: Set[int] = field(default_factory=set)
    #: Why the last reply was no answer.
    complaint: str = ""
    _sender: Optional[str] = None
    _next_index: int = 0
    _body: Optional[Fields] = None

    @property
    def left(self) -> float:
        """Seconds until it is over."""
        return self.end - time.monotonic()

    def hear(self, reply: Reply) -> Union[None, Answer, MartletError]:
        """How the call ends with this reply; None if it goes on.

        Raises `Malformed` for what is no answer. That does not end the call: a gateway's own answer
        may still come.
        """
        # Late ones, repeated ones and another gateway's are nothing bad.
        if self._sender not in (None, reply.sender) or reply.index < self._next_index:
            return None
        self._sender, self._next_index = reply.sender, reply.index + 1
        self._body = reply.body or self._body
        if not reply.last:
            return None
        if reply.code != 0:
            return of_status(reply.code, reply.status, reply.message, reply.sender)
        try:
            if self._body is None:
                raise Malformed("it has no body")
            return answer(self._body, gateway=reply.sender)
        except Malformed as error:
            self.complaint = f"{reply.sender} sent what is no answer: {error}"
            self._sender, self._next_index, self._body = None, 0, None
            raise
