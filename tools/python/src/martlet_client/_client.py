"""The client that blocks."""

from __future__ import annotations

import concurrent.futures
import threading
import time
from collections import deque
from types import TracebackType
from typing import Deque, Iterable, Iterator, List, Literal, Optional, Type, Union, overload

from ._broker import Broker, StrPath, broker as read_broker
from ._calls import Call
from ._core import RESEND_S, Core
from ._devices import Device
from ._errors import BadRequest, MartletError, Unreachable
from ._messages import Answer
from ._request import Photo, check_timeout, photo_bytes
from ._streams import Stream

DEVICE_FILTERS = [("presence/+", 1), ("heartbeat/+", 0)]


class Client:
    """Asks the gateways of a deployment.

        with Client("mqtts://laptop@broker.local", ca="authority.pem") as client:
            print(client.classify("photo.jpg").label_name)

    It connects when it is first used, or at `with`, and may be used by several threads at once. A
    connection that is lost comes back by itself, and calls under way are then asked again.

    - broker: `mqtts://USER@HOST:PORT`, `mqtt://HOST` (unencrypted: on this machine, or with
      `allow_plaintext`), `unix:/PATH`. The port is 8883 with TLS, else 1883.
    - username: the user, instead of the address's. At a broker with rights by user replies come
      under its name.
    - password, password_file: the password itself, or a file with it on its first line; without
      either the environment's MARTLET_PASSWORD, or the address's.
    - ca, cert, key: PEM files of the authorities to trust (the system's unless given), and of this
      client's certificate and its key.
    - deployment, group: which deployment, and the name that its gateways share.
    - timeout: seconds for each call, 0.01 to 600, unless it says otherwise itself; also for
      connecting.
    - resend_after: ask again after so many seconds without an answer: another gateway may answer
      if one dies. Nothing is executed twice by one gateway.

    All methods raise `MartletError`: `Unreachable`, `Refused`, `Timeout`, `BadRequest`, `NotReady`
    or `Failed`. The constructor raises `BadRequest` alone.
    """

    def __init__(
        self,
        broker: str,
        *,
        username: Optional[str] = None,
        password: Optional[str] = None,
        password_file: Optional[StrPath] = None,
        ca: Optional[StrPath] = None,
        cert: Optional[StrPath] = None,
        key: Optional[StrPath] = None,
        allow_plaintext: bool = False,
        deployment: str = "default",
        group: str = "gateway",
        timeout: float = 10.0,
        resend_after: Optional[float] = None,
    ) -> None:
        self._broker: Broker = read_broker(
            broker,
            username=username,
            password=password,
            password_file=password_file,
            ca=ca,
            cert=cert,
            key=key,
            allow_plaintext=allow_plaintext,
        )
        self._deployment, self._group = deployment, group
        self._timeout = check_timeout(timeout)
        self._resend_after = check_resend(resend_after)
        self._lock = threading.Lock()
        # Made at once, so that wrong options are told here.
        self._core: Core = self._make()
        self._open = False
        self._closed = False

    def _make(self) -> Core:
        return Core(self._broker, self._deployment, self._group)

    def _ready(self) -> Core:
        with self._lock:
            if self._closed:
                raise closed()
            if not self._open:
                try:
                    self._core.open(self._timeout)
                    self._open = True
                except BaseException:
                    # A later use tries again, with a connection that knows nothing of this one.
                    self._core.close()
                    self._core = self._make()
                    raise
            return self._core

    def __enter__(self) -> Client:
        self._ready()
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    def close(self) -> None:
        """Says goodbye. Calls under way end with `Unreachable`, streams end."""
        self._closed = True
        self._core.close()

    @property
    def name(self) -> str:
        """The `<client>` of this client's replies."""
        return self._core.name

    @property
    def dropped(self) -> int:
        """How many messages came that do not fit the wire contract, and were not used."""
        return self._core.dropped

    def classify(self, photo: Photo, *, timeout: Optional[float] = None) -> Answer:
        """What the deployment says of a photograph.

        - photo: the path of a JPEG, a PNG, a WebP image or a safetensors tensor, its bytes, or a
          file open for reading bytes; at most 16 MiB.
        """
        return self._finish(self._begin(photo, timeout))

    def _begin(self, photo: Photo, timeout: Optional[float]) -> Call:
        timeout = self._timeout if timeout is None else check_timeout(timeout)
        data = photo_bytes(photo)
        return self._ready().begin(data, timeout, self._resend_after)

    def _finish(self, call: Call) -> Answer:
        core = self._core
        try:
            while not call.future.done():
                left = call.left
                if left <= 0:
                    raise core.late(call)
                step = min(left, call.resend_after or RESEND_S)
                done, _ = concurrent.futures.wait([call.future], timeout=step)
                if not done and call.resend_after is not None:
                    core.send(call)
            return call.future.result()
        except BaseException:
            core.abandon(call)
            raise

    @overload
    def classify_many(
        self, photos: Iterable[Photo], *, in_flight: int = ..., timeout: Optional[float] = ...
    ) -> Iterator[Answer]: ...

    @overload
    def classify_many(
        self,
        photos: Iterable[Photo],
        *,
        in_flight: int = ...,
        timeout: Optional[float] = ...,
        return_errors: Literal[False],
    ) -> Iterator[Answer]: ...

    @overload
    def classify_many(
        self,
        photos: Iterable[Photo],
        *,
        in_flight: int = ...,
        timeout: Optional[float] = ...,
        return_errors: Literal[True],
    ) -> Iterator[Union[Answer, MartletError]]: ...

    def classify_many(
        self,
        photos: Iterable[Photo],
        *,
        in_flight: int = 4,
        timeout: Optional[float] = None,
        return_errors: bool = False,
    ) -> Iterator[Union[Answer, MartletError]]:
        """The answers, in the order of the photographs, which are read as they are needed.

        - in_flight: how many are asked for at once, 1 to 256. A gateway takes four frames at once
          and lets 32 wait, unless told otherwise.
        - return_errors: yield a photograph's error in its place and go on, instead of raising it.
        """
        check_many(photos, in_flight)
        return self._many(iter(photos), in_flight, timeout, return_errors)

    def _many(
        self,
        photos: Iterator[Photo],
        in_flight: int,
        timeout: Optional[float],
        return_errors: bool,
    ) -> Iterator[Union[Answer, MartletError]]:
        waiting: Deque[Union[Call, MartletError]] = deque()
        more = True
        try:
            while more or waiting:
                while more and len(waiting) < in_flight:
                    try:
                        photo = next(photos)
                    except StopIteration:
                        more = False
                        break
                    try:
                        waiting.append(self._begin(photo, timeout))
                    except MartletError as error:
                        waiting.append(error)
                if not waiting:
                    break
                first = waiting.popleft()
                result: Union[Answer, MartletError]
                try:
                    result = first if isinstance(first, MartletError) else self._finish(first)
                except MartletError as error:
                    result = error
                if isinstance(result, MartletError) and not return_errors:
                    raise result
                yield result
        finally:
            for call in waiting:
                if isinstance(call, Call):
                    self._core.abandon(call)

    def results(self, client: str = "+", *, timeout: Optional[float] = None) -> Results:
        """The answers that a deployment's clients publish, from now on: a gateway's, those of
        `martlet run`. Refused ones are among them: look at `status`.

        - client: whose; all unless given.
        - timeout: end the iteration after so many seconds without one; never unless given.
        """
        core = self._ready()
        stream = Stream(client)
        core.listen(stream, self._timeout)
        return Results(core, stream, timeout)

    def devices(self, *, listen: float = 1.5) -> List[Device]:
        """The devices and gateways that say what they are, by name.

        - listen: for how many seconds. A device counts as `alive` once it is heard; one with much
          time between heartbeats needs more. Later calls know what came since the first.
        """
        check_listen(listen)
        core = self._ready()
        core.subscribe(DEVICE_FILTERS, self._timeout)
        time.sleep(listen)
        return core.book.devices()


class Results:
    """An iterator over results; close it, or use it with `with`, to stop listening."""

    def __init__(self, core: Core, stream: Stream, timeout: Optional[float]) -> None:
        self._core, self._stream, self._timeout = core, stream, timeout

    @property
    def dropped(self) -> int:
        """How many results were dropped, oldest first, because 1000 waited to be read."""
        return self._stream.dropped

    def __iter__(self) -> Results:
        return self

    def __next__(self) -> Answer:
        answer = self._stream.wait(self._timeout)
        if answer is None:
            raise StopIteration
        return answer

    def close(self) -> None:
        """Stops listening; what waits may still be read."""
        self._core.forget(self._stream)

    def __enter__(self) -> Results:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()


def closed() -> Unreachable:
    return Unreachable("the client is closed", "make a new one")


def check_many(photos: object, in_flight: int) -> None:
    if isinstance(photos, (str, bytes, bytearray, memoryview)):
        raise BadRequest("classify_many takes several photographs", "give a list, or use classify")
    if not 1 <= in_flight <= 256:
        raise BadRequest("in_flight must be 1 to 256")


def check_listen(seconds: float) -> None:
    if not 0 <= seconds <= 600:
        raise BadRequest("listen must be 0 to 600 seconds")


def check_resend(seconds: Optional[float]) -> Optional[float]:
    if seconds is not None and not 0.01 <= seconds <= 600:
        raise BadRequest("resend_after must be 0.01 to 600 seconds")
    return seconds
