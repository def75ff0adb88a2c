"""A gateway that says what a test wants it to, without martlet."""

from __future__ import annotations

import json
import queue
import threading
from typing import Any, Callable, Dict, List, Union

import paho.mqtt.client as mqtt

ROOT = "martlet/1/default/"
#: What it sends for a request: payloads, one after the other.
Script = Callable[[Dict[str, Any]], List[Union[bytes, Dict[str, Any]]]]


def answer_body(**changes: Any) -> Dict[str, Any]:
    small = {"schema_version": 2, "status": "answered", "top5": [], "latency_ms": 4.5}
    small.update(degraded=[], filled_neurons=0, present=["d0"], frame=1, epoch=9, seq=1)
    return {**small, **changes}


def reply(request: Dict[str, Any], **changes: Any) -> Dict[str, Any]:
    """An answer with label 7, and what is changed in it."""
    whole = {"id": request["id"], "from": "g0", "index": 0, "last": True, "code": 0}
    whole.update(status="OK", body=answer_body(label=7, confidence=0.5))
    return {**whole, **changes}


class Peer:
    """Publishes, and notes what it hears of requests and cancellations."""

    def __init__(self, port: int) -> None:
        self.script: Script = lambda request: [reply(request)]
        self.requests: "queue.Queue[Dict[str, Any]]" = queue.Queue()
        self.cancellations: "queue.Queue[Dict[str, Any]]" = queue.Queue()
        self.photos: "queue.Queue[bytes]" = queue.Queue()
        self._subscribed = threading.Event()
        make: Any = mqtt.Client
        versions = getattr(mqtt, "CallbackAPIVersion", None)
        self.client = make(*([versions.VERSION2] if versions else []))
        self.client.on_message = self._hear
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def serve(self) -> None:
        """Begins to answer."""
        self._subscribed.clear()
        self.client.subscribe(ROOT + "rpc/inference/+/gateway", 1)
        assert self._subscribed.wait(10)

    def stop_serving(self) -> None:
        self.client.unsubscribe(ROOT + "rpc/inference/+/gateway")

    def _hear(self, _: Any, __: Any, message: Any) -> None:
        line, _, photo = message.payload.partition(b"\n")
        request = json.loads(line)
        if message.topic.split("/")[5] == "cancel":
            self.cancellations.put(request)
            return
        for payload in self.script(request):
            self.say(f"reply/{request['client']}/inference", payload)
        self.photos.put(photo)
        self.requests.put(request)

    def say(self, topic: str, payload: Union[bytes, Dict[str, Any]], retain: bool = False) -> Any:
        if not isinstance(payload, bytes):
            payload = json.dumps(payload).encode()
        return self.client.publish(ROOT + topic, payload, 1, retain)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
