"""Who is there, from presence and heartbeats."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Callable, Dict, List, Optional, Tuple

from ._checks import Malformed
from ._messages import Heartbeat, Presence, heartbeat, presence

#: More names than any deployment has; what comes beyond is ignored.
MOST_DEVICES = 1024
_TEN_YEARS_MS = 315_576_000_000


@dataclass(frozen=True)
class Device:
    """A device or gateway, as it was when asked for."""

    name: str
    #: What it said last: `starting`, `ready`, `draining`, `offline`, or `lost` (its will).
    state: str
    #: Whether it says `ready` or `draining` and was heard within three heartbeats.
    alive: bool
    #: The number of its run; every run has a higher one.
    epoch: int
    version: str
    #: From its last heartbeat, None before the first: the frame finished last; frames or calls
    #: that wait; resident memory; whether clients should hold back.
    frame: Optional[int]
    queue: Optional[int]
    rss_bytes: Optional[int]
    full: Optional[bool]


class DeviceBook:
    """Collects words of devices on the network's thread, and tells them on any other."""

    def __init__(
        self,
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._monotonic = monotonic
        self._clock = clock
        self._lock = threading.Lock()
        self._words: Dict[str, Presence] = {}
        self._beats: Dict[str, Tuple[float, Heartbeat]] = {}

    def hear_presence(self, name: str, payload: bytes) -> None:
        with self._lock:
            if not payload:
                # Somebody cleared the topic; that says nothing of a device that beats.
                if name not in self._beats:
                    self._words.pop(name, None)
                return
            word = presence(payload)
            if word.epoch > self._clock() * 1000 + _TEN_YEARS_MS:
                raise Malformed("epoch is ten years and more ahead of the clock")
            known = self._words.get(name)
            if known is None and len(self._words) >= MOST_DEVICES:
                return
            if known is None or word.epoch >= known.epoch:
                self._words[name] = word

    def hear_heartbeat(self, name: str, payload: bytes) -> None:
        beat = heartbeat(payload)
        with self._lock:
            if name in self._beats or len(self._beats) < MOST_DEVICES:
                self._beats[name] = (self._monotonic(), beat)

    def devices(self) -> List[Device]:
        """All that said what they are, by name."""
        now = self._monotonic()
        with self._lock:
            return [self._device(name, now) for name in sorted(self._words)]

    def _device(self, name: str, now: float) -> Device:
        word = self._words[name]
        heard, beat = self._beats.get(name, (0.0, None))
        if beat is not None and beat.epoch != word.epoch:
            beat = None
        alive = False
        if beat is not None and word.state in ("ready", "draining"):
            alive = now - heard <= 3 * max(word.heartbeat_ms, beat.next_ms or 0) / 1000
        return Device(
            name=name,
            state=word.state,
            alive=alive,
            epoch=word.epoch,
            version=word.version,
            frame=beat.frame if beat else None,
            queue=beat.queue if beat else None,
            rss_bytes=beat.rss_bytes if beat else None,
            full=beat.full if beat else None,
        )
