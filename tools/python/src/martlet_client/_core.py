"""The connection and the calls on it, for the client that blocks and the one that awaits.

paho's own thread reads and writes. What it hears is checked here, on that thread, and handed over
through futures and streams. `_lock` is never held while paho is called: paho calls back with locks
of its own held.
"""

from __future__ import annotations

import secrets
import threading
import time
from typing import Any, Dict, List, Optional, Tuple

import paho.mqtt
import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

from . import _failures, _messages, _request
from ._broker import Broker, client_name, limit_handshakes
from ._calls import Call
from ._checks import Malformed, is_identifier, parse
from ._devices import DeviceBook
from ._errors import BadRequest, MartletError, NotReady, Timeout, Unreachable
from ._messages import Answer
from ._streams import Stream

#: A result, its topic and its properties; the broker keeps longer packets back.
PACKET_BYTES = _messages.ANSWER_BYTES + 4096
MOST_CALLS = 1024
KEEPALIVE_S = 20
#: After a connection was lost, calls are asked again as often as this.
RESEND_S = 1.0


class Core:
    """One connection to a broker. Any thread."""

    def __init__(self, broker: Broker, deployment: str, group: str) -> None:
        for what, name in (("deployment", deployment), ("group", group)):
            if not is_identifier(name):
                raise BadRequest(f"the {what} must be 1 to 32 of a-z, 0-9, _ and -")
        self.broker, self.group = broker, group
        self.name = client_name(broker.username, secrets.token_hex(4))
        self.book = DeviceBook()
        self._root = f"martlet/1/{deployment}"
        self._replies = f"{self._root}/reply/{self.name}/inference"
        self._prefix, self._count = secrets.token_hex(8), 0
        self._lock = threading.Lock()
        self._heard = threading.Condition(self._lock)
        self._calls: Dict[str, Call] = {}
        self._mids: Dict[int, Call] = {}
        # Acknowledgements may come before `publish` or `subscribe` has told the number. Those of
        # requests are kept only while one is being sent: numbers are used again.
        self._early: Dict[int, int] = {}
        self._sending = 0
        self._granted: Dict[int, List[int]] = {}
        self._filters: Dict[str, int] = {self._replies: 1}
        self._streams: List[Stream] = []
        self._ready = False
        self._closed = False
        self._problem: Optional[MartletError] = None
        self._largest: Optional[int] = None
        self._own_mid = -1
        self.dropped = 0
        self._context = broker.tls_context()
        self._mqtt = self._make()

    def _make(self) -> mqtt.Client:
        # paho 1 has no versions of its callbacks; these fit both.
        options: Dict[str, Any] = {
            "client_id": f"martlet-py-{secrets.token_hex(8)}",
            "protocol": mqtt.MQTTv5,
        }
        versions = getattr(mqtt, "CallbackAPIVersion", None)
        if versions is not None:
            options["callback_api_version"] = versions.VERSION2
        if self.broker.port == 0:
            if tuple(map(int, paho.mqtt.__version__.split(".")[:2])) < (2, 1):
                raise BadRequest(
                    "this paho-mqtt knows no Unix sockets", "install paho-mqtt 2.1 or newer"
                )
            options["transport"] = "unix"
        make: Any = mqtt.Client
        client: mqtt.Client = make(**options)
        if self.broker.username is not None:
            client.username_pw_set(self.broker.username, self.broker.password)
        if self._context is not None:
            client.tls_set_context(self._context)
        # Also how long closing takes at most while the connection is away.
        client.reconnect_delay_set(1, 2)
        callbacks: Any = client
        callbacks.on_connect = self._on_connect
        callbacks.on_disconnect = self._on_disconnect
        callbacks.on_subscribe = self._on_subscribe
        callbacks.on_publish = self._on_publish
        callbacks.on_message = self._on_message
        return client

    # Connecting

    def open(self, timeout: float) -> None:
        """Connects and waits until replies can come. Raises `Unreachable` or `Refused`."""
        end = time.monotonic() + timeout
        properties = _properties(PacketTypes.CONNECT)
        properties.MaximumPacketSize = PACKET_BYTES
        if self._context is not None:
            limit_handshakes(self._context, min(timeout, 10.0))
        # paho 1 has no name for it.
        setattr(self._mqtt, "_connect_timeout", min(timeout, 10.0))
        try:
            self._mqtt.connect(
                self.broker.host,
                self.broker.port or 1883,
                keepalive=KEEPALIVE_S,
                clean_start=True,
                properties=properties,
            )
        except (OSError, ValueError) as error:
            raise _failures.connecting(self.broker, error) from None
        self._mqtt.loop_start()
        with self._heard:
            while not self._ready and self._problem is None and not self._closed:
                if not self._heard.wait(end - time.monotonic()) and time.monotonic() >= end:
                    break
            ready, problem = self._ready, self._problem
        if not ready:
            self.close()
            raise problem or Unreachable(
                f"{self.broker} took the connection and said nothing for {timeout:g} s",
                "is it an MQTT 5 broker? One with TLS wants mqtts://",
            )

    def close(self) -> None:
        """Ends all calls and streams, and says goodbye. May be called any number of times."""
        with self._heard:
            if self._closed:
                return
            self._closed, self._ready = True, False
            calls, streams = list(self._calls.values()), self._streams
            self._calls, self._mids, self._streams = {}, {}, []
            self._heard.notify_all()
        for call in calls:
            call.future.set_exception(Unreachable("the client was closed during the call"))
        for stream in streams:
            stream.end()
        self._mqtt.disconnect()
        self._mqtt.loop_stop()

    def _check_open(self) -> None:
        if self._closed:
            raise Unreachable("the client is closed", "make a new one")

    def _on_connect(
        self, client: Any, _: Any, __: Any, reason: Any, properties: Any = None
    ) -> None:
        if _code(reason) >= 128:
            self._lost(_failures.refused(self.broker, _code(reason), str(reason)))
            return
        self._largest = getattr(properties, "MaximumPacketSize", None)
        with self._lock:
            wanted = [(filter, SubscribeOptions(qos=qos)) for filter, qos in self._filters.items()]
        _, mid = client.subscribe(wanted)
        self._own_mid = mid or -1

    def _on_disconnect(self, *_: Any) -> None:
        with self._lock:
            opened = self._problem is None and not self._ready
        self._lost(_failures.closed(self.broker) if opened else _failures.lost(self.broker))

    def _lost(self, problem: MartletError) -> None:
        with self._heard:
            self._ready = False
            if self._problem is None or not isinstance(problem, Unreachable):
                self._problem = problem
            self._heard.notify_all()

    def _on_subscribe(self, _: Any, __: Any, mid: int, reasons: Any, ___: Any = None) -> None:
        codes = [_code(reason) for reason in reasons][:1024]
        with self._heard:
            if mid != self._own_mid:
                if len(self._granted) < MOST_CALLS:
                    self._granted[mid] = codes
                self._heard.notify_all()
                return
            # Replies are the first filter of all.
            if codes and codes[0] >= 128:
                self._problem = _failures.not_subscribed(self._replies, codes[0])
            else:
                self._ready, self._problem = True, None
            calls = list(self._calls.values())
            self._heard.notify_all()
        # Answers that came while the connection was away are lost. A gateway that knows a call
        # answers again and does not execute it twice; one that comes back later is asked later.
        for call in calls:
            call.resend_after = call.resend_after or RESEND_S
            self.send(call)

    # Calls

    def begin(self, data: bytes, timeout: float, resend_after: Optional[float]) -> Call:
        """Begins a call. Raises `BadRequest` or `NotReady`."""
        end = time.monotonic() + timeout
        if self._largest is not None and len(data) + 1024 > self._largest:
            raise BadRequest(
                f"the broker takes {self._largest} bytes a message, the photograph has {len(data)}",
                "make it smaller, or raise the broker's limit (mosquitto: message_size_limit)",
            )
        with self._lock:
            self._check_open()
            if len(self._calls) >= MOST_CALLS:
                raise NotReady(f"{MOST_CALLS} calls are under way", "wait for some")
            self._count += 1
            call = Call(f"{self._prefix}-{self._count}", data, end, resend_after=resend_after)
            self._calls[call.id] = call
            ready = self._ready
        # Without a connection it is sent once there is one.
        if ready:
            self.send(call)
        return call

    def send(self, call: Call) -> None:
        """Sends a call's request, again if it was sent before."""
        # Some of the time is left for the way back.
        left = call.left * 0.95
        if left <= 0 or call.future.done():
            return
        payload = _request.request(call.id, self.name, left, call.data)
        with self._lock:
            self._sending += 1
        mid = self._publish("infer", payload, left)
        with self._lock:
            code = self._early.pop(mid, None)
            self._sending -= 1
            if self._sending == 0:
                self._early.clear()
            if code is None and call.id in self._calls:
                self._mids[mid] = call
                call.mids.add(mid)
        if code is not None:
            self._acknowledged(call, code)

    def _publish(self, method: str, payload: bytes, expiry: float) -> int:
        properties = _properties(PacketTypes.PUBLISH)
        properties.MessageExpiryInterval = int(expiry) + 1
        topic = f"{self._root}/rpc/inference/{method}/{self.group}"
        return self._mqtt.publish(topic, payload, qos=1, properties=properties).mid

    def _on_publish(self, _: Any, __: Any, mid: int, reason: Any = None, *___: Any) -> None:
        # paho 1 does not tell what the broker said.
        code = 0 if reason is None else _code(reason)
        with self._lock:
            call = self._mids.pop(mid, None)
            if call is None:
                if code != 0 and self._sending > 0 and len(self._early) < MOST_CALLS:
                    self._early[mid] = code
                return
            call.mids.discard(mid)
        self._acknowledged(call, code)

    def _acknowledged(self, call: Call, code: int) -> None:
        error = _failures.not_taken(code, self.group, self.name)
        # With `resend_after` a gateway may come while there is time.
        if error is None or (code == _failures.NO_SUBSCRIBERS and call.resend_after is not None):
            return
        if self._take(call):
            call.future.set_exception(error)

    def _take(self, call: Call) -> bool:
        """Ends a call; whether nobody else did. Whoever gets True completes it."""
        with self._lock:
            for mid in call.mids:
                self._mids.pop(mid, None)
            return self._calls.pop(call.id, None) is not None

    def abandon(self, call: Call) -> None:
        """Ends a call whose answer nobody waits for any more, and tells the gateways."""
        if self._take(call):
            call.future.cancel()
            if self._ready:
                self._publish("cancel", _request.cancellation(call.id, self.name), 1)

    def late(self, call: Call) -> MartletError:
        """Gives up a call whose time is over; says why that may be."""
        with self._lock:
            problem = None if self._ready else self._problem
        self.abandon(call)
        return problem or _failures.late(self.group, self.name, call.complaint)

    # Hearing

    def _on_message(self, _: Any, __: Any, message: Any) -> None:
        payload: bytes = message.payload
        if payload.startswith(b"martlet-check"):
            return
        try:
            self._hear(message.topic, payload)
        except (Malformed, UnicodeDecodeError):
            with self._lock:
                self.dropped += 1

    def _hear(self, topic: str, payload: bytes) -> None:
        if topic == self._replies:
            self._hear_reply(payload)
            return
        kind, _, name = topic[len(self._root) + 1 :].partition("/")
        if not topic.startswith(self._root + "/") or not is_identifier(name):
            raise Malformed("a topic that nobody asked for")
        if kind == "presence":
            self.book.hear_presence(name, payload)
        elif kind == "heartbeat":
            self.book.hear_heartbeat(name, payload)
        elif kind == "result":
            answer = _messages.answer(parse(payload, _messages.ANSWER_BYTES), client=name)
            with self._lock:
                streams = [stream for stream in self._streams if stream.wants(name)]
            for stream in streams:
                stream.put(answer)

    def _hear_reply(self, payload: bytes) -> None:
        reply = _messages.reply(payload)
        with self._lock:
            call = self._calls.get(reply.id)
        outcome = None if call is None else call.hear(reply)
        if call is None or outcome is None or not self._take(call):
            return
        if isinstance(outcome, Answer):
            call.future.set_result(outcome)
        else:
            call.future.set_exception(outcome)

    # Listening

    def subscribe(self, filters: List[Tuple[str, int]], timeout: float) -> None:
        """Subscribes, below the root, to what is not subscribed to yet, and waits for the broker's
        word. Raises `Refused`, `Unreachable` or `Timeout`."""
        end = time.monotonic() + timeout
        paths = [(f"{self._root}/{filter}", qos) for filter, qos in filters]
        with self._lock:
            self._check_open()
            new = [(path, qos) for path, qos in paths if path not in self._filters]
            ready, problem = self._ready, self._problem
        if not new:
            return
        if not ready:
            raise problem or _failures.lost(self.broker)
        _, mid = self._mqtt.subscribe([(path, SubscribeOptions(qos=qos)) for path, qos in new])
        with self._heard:
            while mid not in self._granted:
                left = end - time.monotonic()
                if left <= 0 or not self._ready:
                    raise Timeout(f"{self.broker} does not acknowledge a subscription", "try again")
                self._heard.wait(left)
            codes = self._granted.pop(mid)
            for (path, qos), code in zip(new, codes):
                if code >= 128:
                    raise _failures.not_subscribed(path, code)
                self._filters[path] = qos

    def listen(self, stream: Stream, timeout: float) -> None:
        """Begins a stream of results."""
        with self._lock:
            self._check_open()
            self._streams.append(stream)
        try:
            self.subscribe([(f"result/{stream.client}", 1)], timeout)
        except BaseException:
            self.forget(stream)
            raise

    def forget(self, stream: Stream) -> None:
        """Ends a stream, and the subscription if no other one needs it."""
        filter = f"{self._root}/result/{stream.client}"
        with self._lock:
            if stream not in self._streams:
                return
            self._streams.remove(stream)
            others = any(other.client == stream.client for other in self._streams)
            known = not others and self._filters.pop(filter, None) is not None
            tell = known and not self._closed
        stream.end()
        if tell:
            self._mqtt.unsubscribe(filter)


def _properties(kind: int) -> Any:
    # Its fields are made as they are set.
    make: Any = Properties
    return make(kind)


def _code(reason: Any) -> int:
    """The number of a reason, which is an object or, of brokers of MQTT 3, itself a number."""
    return int(getattr(reason, "value", reason))
