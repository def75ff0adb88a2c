"""Both clients at a real broker, against a gateway that misbehaves."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
import unittest
from typing import Any, AsyncIterator, Dict, List, Union

import martlet_client
from martlet_client import AsyncClient, BadRequest, Client, MartletError, NotReady, Timeout
from martlet_client import Unreachable

from .deployment import Deployment, free_port, until
from .gateway import Peer, answer_body, reply

HOSTILE: List[bytes] = [
    b"", b"null", b"[]", b"{}", b"\xff\xfe", b"{" * 5000, b"[" * 200000, b'{"id": NaN}',
    b'{"id": ' + b"9" * 100000 + b"}", b"x" * 262145, b"martlet-check0123456789abcdef",
]  # fmt: skip


class AtABroker(unittest.TestCase):
    deployment: Deployment

    @classmethod
    def setUpClass(cls) -> None:
        cls.deployment = Deployment()
        cls.addClassCleanup(cls.deployment.close)
        cls.deployment.plain_broker()

    def setUp(self) -> None:
        self.peer = Peer(self.deployment.port)
        self.addCleanup(self.peer.close)

    def client(self, **options: Any) -> Client:
        client = Client(self.deployment.broker, **{"timeout": 10, **options})
        self.addCleanup(client.close)
        return client

    # Hostile payloads

    def test_what_is_no_reply_is_counted_and_passed_over(self) -> None:
        def hostile(request: Dict[str, Any]) -> List[Union[bytes, Dict[str, Any]]]:
            wrong = [
                reply(request, id="another"), reply(request, id=7), reply(request, last="yes"),
                reply(request, code="0"), reply(request, index=-1), {**reply(request), "from": "A"},
                reply(request, body=None), reply(request, body=[]), reply(request, body="label"),
                reply(request, body=answer_body(label="seven")),
                reply(request, body=answer_body(schema_version=3)), reply(request, message=1),
            ]  # fmt: skip
            return [*HOSTILE, *wrong, reply(request)]

        self.peer.script = hostile
        self.peer.serve()
        client = self.client()
        self.assertEqual(client.classify(b"photo").label, 7)
        self.assertEqual(self.peer.photos.get(timeout=10), b"photo")
        # Neither another call's reply nor the payload of a check is wrong.
        self.assertEqual(client.dropped, len(HOSTILE) - 1 + 11)

    def test_an_answer_of_a_later_version_says_what_to_do(self) -> None:
        self.peer.script = lambda request: [reply(request, body=answer_body(schema_version=3))]
        self.peer.serve()
        with self.assertRaisesRegex(Timeout, "update martlet-client"):
            self.client().classify(b"photo", timeout=2)

    def test_hostile_results_and_presence(self) -> None:
        client = self.client()
        stream = client.results(timeout=10)
        for payload in HOSTILE:
            self.peer.say("result/evil", payload)
            self.peer.say("presence/evil", payload)
        self.peer.say("result/good", answer_body(label=3, seq=2))
        answer = next(stream)
        self.assertEqual((answer.client, answer.label), ("good", 3))
        client.devices(listen=0)
        for payload in HOSTILE:
            self.peer.say("presence/evil", payload)
        word = {"state": "ready", "epoch": 1, "heartbeat_ms": 500, "version": "x"}
        self.peer.say("presence/d7", word)
        names = until(lambda: [d.name for d in client.devices(listen=0)], "a device")
        self.assertEqual(names, ["d7"])

    # Calls

    def test_statuses_become_exceptions(self) -> None:
        self.peer.serve()
        client = self.client()
        for code, kind in ((3, BadRequest), (8, NotReady), (14, NotReady), (13, MartletError)):
            self.peer.script = lambda request: [
                reply(request, code=code, status="S", message="why", body=None)
            ]
            with self.subTest(code), self.assertRaisesRegex(kind, "g0: why"):
                client.classify(b"photo")

    def test_a_call_that_is_over_is_cancelled(self) -> None:
        self.peer.script = lambda _: []
        self.peer.serve()
        with self.assertRaisesRegex(Timeout, "group gateway"):
            self.client().classify(b"photo", timeout=0.3)
        asked = self.peer.requests.get(timeout=10)
        self.assertLessEqual(asked["deadline_ms"], 300)
        self.assertEqual(self.peer.cancellations.get(timeout=10)["id"], asked["id"])

    def test_nobody_listens(self) -> None:
        with self.assertRaisesRegex((NotReady, Timeout), "gateway"):
            self.client().classify(b"photo", timeout=1)

    def test_acknowledgements_of_other_messages_are_forgotten(self) -> None:
        def leave(_: Dict[str, Any]) -> List[Union[bytes, Dict[str, Any]]]:
            self.peer.stop_serving()
            return []

        self.peer.script = leave
        self.peer.serve()
        client = self.client()
        with self.assertRaises(Timeout):
            client.classify(b"photo", timeout=0.2)
        # Nobody heard the cancellation, whose number was not one of a request.
        with self.assertRaises((NotReady, Timeout)):
            client.classify(b"photo", timeout=0.2)
        self.assertEqual((client._core._early, client._core._mids), ({}, {}))

    def test_asking_again(self) -> None:
        client = self.client(timeout=20, resend_after=0.1)
        outcome: List[martlet_client.Answer] = []
        thread = threading.Thread(target=lambda: outcome.append(client.classify(b"photo")))
        client.__enter__()
        thread.start()
        self.peer.serve()
        thread.join(20)
        self.assertEqual([answer.label for answer in outcome], [7])

    def test_answers_come_in_order_and_several_are_under_way(self) -> None:
        held: List[Dict[str, Any]] = []

        def backwards(request: Dict[str, Any]) -> List[Union[bytes, Dict[str, Any]]]:
            held.append(request)
            if len(held) < 3:
                return []
            answered = list(reversed(held))
            held.clear()
            return [
                reply(one, body=answer_body(label=int(one["id"].rpartition("-")[2])))
                for one in answered
            ]

        self.peer.script = backwards
        self.peer.serve()
        answers = self.client().classify_many([b"photo"] * 9, in_flight=3)
        self.assertEqual([answer.label for answer in answers], list(range(1, 10)))

    def test_errors_in_their_places(self) -> None:
        self.peer.serve()
        client = self.client()
        photos: List[Any] = [b"photo", b"", "/no/such/file", b"photo"]
        kinds = [type(one) for one in client.classify_many(photos, return_errors=True)]
        answer = martlet_client.Answer
        self.assertEqual(kinds, [answer, BadRequest, BadRequest, answer])
        with self.assertRaises(BadRequest):
            list(client.classify_many(photos))
        with self.assertRaises(BadRequest):
            client.classify_many("photo.jpg")

    def test_threads_share_a_client(self) -> None:
        self.peer.serve()
        client = self.client()
        labels: List[Any] = []
        work = [
            threading.Thread(target=lambda: labels.append(client.classify(b"photo").label))
            for _ in range(8)
        ]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join(20)
        self.assertEqual(labels, [7] * 8)

    def test_a_closed_client_says_so(self) -> None:
        self.peer.script = lambda _: []
        self.peer.serve()
        client = self.client()
        errors: List[MartletError] = []

        def ask() -> None:
            try:
                client.classify(b"photo")
            except MartletError as error:
                errors.append(error)

        thread = threading.Thread(target=ask)
        thread.start()
        self.peer.requests.get(timeout=10)
        client.close()
        thread.join(10)
        self.assertIsInstance(errors[0], Unreachable)
        with self.assertRaisesRegex(Unreachable, "closed"):
            client.classify(b"photo")

    # asyncio

    def test_cancelling_a_task_cancels_the_call(self) -> None:
        self.peer.script = lambda _: []
        self.peer.serve()

        async def main() -> str:
            async with AsyncClient(self.deployment.broker) as client:
                task = asyncio.ensure_future(client.classify(b"photo"))
                loop = asyncio.get_running_loop()
                asked = await loop.run_in_executor(None, self.peer.requests.get, True, 10)
                task.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await task
                identifier: str = asked["id"]
                return identifier

        identifier = asyncio.run(main())
        self.assertEqual(self.peer.cancellations.get(timeout=10)["id"], identifier)

    def test_the_twin_does_the_same(self) -> None:
        self.peer.serve()

        async def photos() -> AsyncIterator[bytes]:
            for _ in range(5):
                yield b"photo"

        async def main() -> None:
            client = AsyncClient(self.deployment.broker, timeout=10)
            try:
                many = [answer.label async for answer in client.classify_many(photos())]
                self.assertEqual(many, [7] * 5)
                both = client.classify_many([b"", b"photo"], return_errors=True)
                kinds = [type(one) async for one in both]
                self.assertEqual(kinds, [BadRequest, martlet_client.Answer])
                async with client.results("good", timeout=10) as stream:
                    self.peer.say("result/other", answer_body(seq=1))
                    self.peer.say("result/good", answer_body(label=4, seq=2))
                    async for answer in stream:
                        self.assertEqual((answer.client, answer.label), ("good", 4))
                        break
                self.peer.script = lambda _: []
                with self.assertRaises(Timeout):
                    await client.classify(b"photo", timeout=0.2)
            finally:
                await client.close()
            with self.assertRaisesRegex(Unreachable, "closed"):
                await client.classify(b"photo")

        asyncio.run(main())

    def test_the_twin_fails_alike(self) -> None:
        async def main() -> None:
            client = AsyncClient(f"mqtt://127.0.0.1:{free_port()}")
            for _ in range(2):
                with self.assertRaisesRegex(Unreachable, "nothing listens"):
                    await client.classify(b"photo")

        asyncio.run(main())

    def test_a_unix_socket(self) -> None:
        self.peer.serve()
        try:
            client = Client(f"unix:{self.deployment.folder}/mqtt.sock")
        except BadRequest as error:
            self.assertIn("paho-mqtt 2.1", str(error))
            return
        with client:
            self.assertEqual(client.classify(b"photo").label, 7)


class Brokers(unittest.TestCase):
    def test_nothing_listens(self) -> None:
        client = Client(f"mqtt://127.0.0.1:{free_port()}")
        for _ in range(2):
            with self.assertRaisesRegex(Unreachable, "nothing listens"):
                client.classify(b"photo")

    def test_no_such_host(self) -> None:
        with self.assertRaisesRegex(Unreachable, "host"):
            Client("mqtts://no-such-host.invalid").classify(b"photo")

    def test_what_listens_is_no_broker(self) -> None:
        for says in (b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x20\xff\xff\xff\x7f"):
            with self.subTest(says), socket.create_server(("127.0.0.1", 0)) as server:
                port = server.getsockname()[1]

                def serve() -> None:
                    connection, _ = server.accept()
                    with connection:
                        connection.recv(4096)
                        connection.sendall(says)

                thread = threading.Thread(target=serve)
                thread.start()
                with self.assertRaises(Unreachable):
                    Client(f"mqtt://127.0.0.1:{port}", timeout=2).classify(b"photo")
                thread.join(10)

    def test_a_silent_port(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            begun = time.monotonic()
            with self.assertRaises(Unreachable):
                Client(f"mqtt://127.0.0.1:{port}", timeout=0.5).classify(b"photo")
            self.assertGreaterEqual(time.monotonic() - begun, 0.5)
            # A TLS handshake that nobody answers.
            with self.assertRaises(Unreachable):
                Client(f"mqtts://127.0.0.1:{port}", timeout=0.5).classify(b"photo")

    def test_calls_outlive_the_broker(self) -> None:
        deployment = Deployment()
        self.addCleanup(deployment.close)
        deployment.plain_broker()
        first = Peer(deployment.port)
        first.script = lambda _: []
        first.serve()
        with Client(deployment.broker, timeout=30) as client:
            labels: List[Any] = []
            thread = threading.Thread(
                target=lambda: labels.append(client.classify(b"photo").label)
            )
            thread.start()
            first.requests.get(timeout=10)
            first.close()
            deployment.kill("broker")
            # The client is back before the gateway.
            deployment.restart_broker()
            until(lambda: client._core._ready, "the client is connected again")
            second = Peer(deployment.port)
            self.addCleanup(second.close)
            second.serve()
            thread.join(30)
            self.assertEqual(labels, [7])


if __name__ == "__main__":
    unittest.main()
