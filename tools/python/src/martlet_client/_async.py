"""The client that awaits. paho's thread does the reading and writing; what it hears comes to the
event loop with `call_soon_threadsafe`."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from types import TracebackType
from typing import (
    Any,
    AsyncIterable,
    AsyncIterator,
    Deque,
    Iterable,
    Iterator,
    List,
    Literal,
    Optional,
    Type,
    Union,
    overload,
)

from ._broker import Broker, StrPath, broker as read_broker
from ._client import DEVICE_FILTERS, check_listen, check_many, check_resend, closed
from ._core import RESEND_S, Core
from ._devices import Device
from ._errors import MartletError
from ._messages import Answer
from ._request import Photo, check_timeout, photo_bytes
from ._streams import Stream

Photos = Union[Iterable[Photo], AsyncIterable[Photo]]


class AsyncClient:
    """The twin of `Client` for asyncio: the same options, methods and errors.

        async with AsyncClient("mqtts://laptop@broker.local", ca="authority.pem") as client:
            print((await client.classify("photo.jpg")).label_name)

    It belongs to the event loop in which it is first used. A task that is cancelled ends its calls,
    also at the gateway.
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
        # Made at once, so that wrong options are told here.
        self._core: Core = self._make()
        self._open = False
        self._closed = False
        # Made when first used: before Python 3.10 a lock belongs to the loop of its making.
        self._lock: Optional[asyncio.Lock] = None

    def _make(self) -> Core:
        return Core(self._broker, self._deployment, self._group)

    async def _ready(self) -> Core:
        if self._lock is None:
            self._lock = asyncio.Lock()
        async with self._lock:
            if self._closed:
                raise closed()
            if not self._open:
                core = self._core
                try:
                    await _in_thread(core.open, self._timeout)
                    self._open = True
                except BaseException:
                    self._core = self._make()
                    # Not here: a connection that is being made ends only when that comes to an end.
                    threading.Thread(target=core.close, daemon=True).start()
                    raise
            return self._core

    async def __aenter__(self) -> AsyncClient:
        await self._ready()
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Says goodbye. Calls under way end with `Unreachable`, streams end."""
        self._closed = True
        await _in_thread(self._core.close)

    @property
    def name(self) -> str:
        """The `<client>` of this client's replies."""
        return self._core.name

    @property
    def dropped(self) -> int:
        """How many messages came that do not fit the wire contract, and were not used."""
        return self._core.dropped

    async def classify(self, photo: Photo, *, timeout: Optional[float] = None) -> Answer:
        """What the deployment says of a photograph; see `Client.classify`."""
        timeout = self._timeout if timeout is None else check_timeout(timeout)
        if isinstance(photo, (bytes, bytearray, memoryview)):
            data = photo_bytes(photo)
        else:
            data = await _in_thread(photo_bytes, photo)
        core = await self._ready()
        call = core.begin(data, timeout, self._resend_after)
        try:
            future = asyncio.wrap_future(call.future)
            while not future.done():
                left = call.left
                if left <= 0:
                    raise core.late(call)
                step = min(left, call.resend_after or RESEND_S)
                await asyncio.wait({future}, timeout=step)
                if not future.done() and call.resend_after is not None:
                    core.send(call)
            return future.result()
        except BaseException:
            core.abandon(call)
            raise

    @overload
    def classify_many(
        self, photos: Photos, *, in_flight: int = ..., timeout: Optional[float] = ...
    ) -> AsyncIterator[Answer]: ...

    @overload
    def classify_many(
        self,
        photos: Photos,
        *,
        in_flight: int = ...,
        timeout: Optional[float] = ...,
        return_errors: Literal[False],
    ) -> AsyncIterator[Answer]: ...

    @overload
    def classify_many(
        self,
        photos: Photos,
        *,
        in_flight: int = ...,
        timeout: Optional[float] = ...,
        return_errors: Literal[True],
    ) -> AsyncIterator[Union[Answer, MartletError]]: ...

    def classify_many(
        self,
        photos: Photos,
        *,
        in_flight: int = 4,
        timeout: Optional[float] = None,
        return_errors: bool = False,
    ) -> AsyncIterator[Union[Answer, MartletError]]:
        """The answers, in the order of the photographs; see `Client.classify_many`. The photographs
        may also come from an asynchronous iterable."""
        check_many(photos, in_flight)
        return self._many(photos, in_flight, timeout, return_errors)

    async def _many(
        self, photos: Photos, in_flight: int, timeout: Optional[float], return_errors: bool
    ) -> AsyncIterator[Union[Answer, MartletError]]:
        source = _Source(photos)
        waiting: Deque[asyncio.Task[Answer]] = deque()
        more = True
        try:
            while more or waiting:
                while more and len(waiting) < in_flight:
                    try:
                        photo = await source.next()
                    except StopAsyncIteration:
                        more = False
                        break
                    waiting.append(asyncio.ensure_future(self.classify(photo, timeout=timeout)))
                if not waiting:
                    break
                result: Union[Answer, MartletError]
                try:
                    result = await waiting[0]
                except MartletError as error:
                    if not return_errors:
                        raise
                    result = error
                waiting.popleft()
                yield result
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    def results(self, client: str = "+", *, timeout: Optional[float] = None) -> AsyncResults:
        """The answers that a deployment's clients publish; see `Client.results`. Listening begins
        with `async with`, or with the first result that is asked for."""
        return AsyncResults(self._ready, client, timeout, self._timeout)

    async def devices(self, *, listen: float = 1.5) -> List[Device]:
        """The devices and gateways that say what they are; see `Client.devices`."""
        check_listen(listen)
        core = await self._ready()
        await _in_thread(core.subscribe, DEVICE_FILTERS, self._timeout)
        await asyncio.sleep(listen)
        return core.book.devices()


class AsyncResults:
    """An asynchronous iterator over results; close it, or use it with `async with`, to stop
    listening. For one task at a time."""

    def __init__(
        self, ready: Any, client: str, timeout: Optional[float], connecting: float
    ) -> None:
        self._ready, self._timeout, self._connecting = ready, timeout, connecting
        self._stream = Stream(client, self._notify)
        self._core: Optional[Core] = None
        self._loop: Optional[asyncio.AbstractEventLoop] = None
        self._event: Optional[asyncio.Event] = None
        # Whether the loop has been told that something is there: once, however much comes.
        self._told = False

    @property
    def dropped(self) -> int:
        """How many results were dropped, oldest first, because 1000 waited to be read."""
        return self._stream.dropped

    def _notify(self) -> None:
        if self._loop is None or self._event is None or self._told:
            return
        self._told = True
        try:
            self._loop.call_soon_threadsafe(self._event.set)
        except RuntimeError:
            # The loop is closed, and with it whoever would read.
            pass

    async def _begin(self) -> None:
        if self._core is None:
            self._loop, self._event = asyncio.get_running_loop(), asyncio.Event()
            core: Core = await self._ready()
            self._core = core
            await _in_thread(core.listen, self._stream, self._connecting)

    def __aiter__(self) -> AsyncResults:
        return self

    async def __anext__(self) -> Answer:
        await self._begin()
        assert self._event is not None
        while True:
            # Cleared before looking: what comes after the look sets it again.
            self._told = False
            self._event.clear()
            answer = self._stream.take()
            if answer is not None:
                return answer
            if self._stream.ended:
                raise StopAsyncIteration
            try:
                await asyncio.wait_for(self._event.wait(), self._timeout)
            except asyncio.TimeoutError:
                raise StopAsyncIteration from None

    async def close(self) -> None:
        """Stops listening; what waits may still be read."""
        if self._core is not None:
            self._core.forget(self._stream)

    async def __aenter__(self) -> AsyncResults:
        await self._begin()
        return self

    async def __aexit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        await self.close()


class _Source:
    """Photographs one by one, wherever they come from."""

    def __init__(self, photos: Photos) -> None:
        self._iterator: Optional[Iterator[Photo]] = None
        if isinstance(photos, AsyncIterable):
            self._asynchronous: AsyncIterator[Photo] = photos.__aiter__()
        else:
            self._iterator = iter(photos)

    async def next(self) -> Photo:
        if self._iterator is None:
            return await self._asynchronous.__anext__()
        for photo in self._iterator:
            return photo
        raise StopAsyncIteration


async def _in_thread(work: Any, *arguments: Any) -> Any:
    return await asyncio.get_running_loop().run_in_executor(None, work, *arguments)
