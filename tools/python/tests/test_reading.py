"""Addresses, passwords, photographs and messages, without a broker."""

from __future__ import annotations

import io
import json
import os
import pathlib
import re
import tempfile
import unittest
from typing import Any, Dict, List
from unittest import mock

from martlet_client import BadRequest, Client, MartletError
from martlet_client import _broker, _messages, _request
from martlet_client._checks import Malformed, parse
from martlet_client._devices import DeviceBook
from martlet_client._errors import Failed, NotReady, Refused, Timeout, of_status
from martlet_client._streams import MOST_WAITING, Stream

HANDBOOK = pathlib.Path(__file__).resolve().parents[3] / "Sources/Handbook/Handbook.docc"


def answer_of(value: object) -> _messages.Answer:
    return _messages.answer(parse(json.dumps(value).encode(), _messages.ANSWER_BYTES))


def body(**changes: Any) -> Dict[str, Any]:
    """An answer as small as one can be, and what is changed in it."""
    small = {"schema_version": 2, "status": "answered", "top5": [], "latency_ms": 4.5}
    small.update(degraded=[], filled_neurons=0, present=["d0"], frame=1, epoch=9, seq=1)
    return {**small, **changes}


class Addresses(unittest.TestCase):
    def test_forms(self) -> None:
        for text, shown, user in [
            ("localhost", "mqtt://localhost:1883", None),
            ("mqtts://broker.local", "mqtts://broker.local:8883", None),
            ("mqtts://me@broker.local:9", "mqtts://broker.local:9", "me"),
            ("mqtt://a%40b:c%2Fd@127.0.0.1/", "mqtt://127.0.0.1:1883", "a@b"),
            ("mqtt://[::1]:7", "mqtt://[::1]:7", None),
            ("unix:/run/mqtt.sock", "unix:/run/mqtt.sock", None),
        ]:
            with self.subTest(text):
                read = _broker.broker(text)
                self.assertEqual((str(read), read.username), (shown, user))

    def test_refused_forms(self) -> None:
        for text in [
            "", "a b", "http://h", "mqtt://", "mqtt://h:0", "mqtt://h:65536", "mqtt://h:1x",
            "mqtt://h/path", "mqtt://a:b:c", "mqtt://@h", "mqtt://%zz@h", "mqtt://%00@h",
            "unix:relative", "unix:/" + "x" * 107, "mqtt://" + "h" * 254,
        ]:  # fmt: skip
            with self.subTest(text), self.assertRaises(BadRequest):
                _broker.broker(text, allow_plaintext=True)

    def test_plaintext_stays_here_unless_allowed(self) -> None:
        with self.assertRaisesRegex(BadRequest, "allow_plaintext"):
            _broker.broker("mqtt://broker.local")
        self.assertEqual(_broker.broker("broker.local", allow_plaintext=True).port, 1883)
        # A name that only begins like an address of this machine.
        with self.assertRaises(BadRequest):
            _broker.broker("mqtt://127.0.0.1.example.org")

    def test_where_the_password_comes_from(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "password")
            file.write_text("filed\nmore\n")
            with mock.patch.dict(os.environ, {"MARTLET_PASSWORD": "environment"}):
                address = "mqtt://me:inside@localhost"
                self.assertEqual(_broker.broker(address).password, "environment")
                self.assertEqual(_broker.broker(address, password_file=file).password, "filed")
                given = _broker.broker(address, password_file=file, password="given")
                self.assertEqual(given.password, "given")
            with mock.patch.dict(os.environ):
                os.environ.pop("MARTLET_PASSWORD", None)
                self.assertEqual(_broker.broker(address).password, "inside")
            file.write_text("")
            for path in (file, pathlib.Path(folder, "none")):
                with self.assertRaisesRegex(BadRequest, "password"):
                    _broker.broker(address, password_file=path)
        self.assertNotIn("given", repr(given) + str(given))

    def test_files_of_tls_are_named(self) -> None:
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            wrong: List[Dict[str, Any]] = [
                {"ca": file.name}, {"cert": file.name}, {"ca": "/none.pem"},
            ]  # fmt: skip
            for options in wrong:
                with self.subTest(options), self.assertRaisesRegex(BadRequest, "pem"):
                    Client("mqtts://localhost", **options)
        with self.assertRaisesRegex(BadRequest, "mqtts"):
            Client("localhost", ca="authority.pem")

    def test_options_out_of_range(self) -> None:
        wrong: List[Dict[str, Any]] = [
            {"timeout": 0}, {"timeout": 601}, {"timeout": float("nan")}, {"resend_after": 0},
            {"deployment": "A"}, {"group": "a/b"}, {"group": ""}, {"key": "key.pem"},
        ]  # fmt: skip
        for options in wrong:
            with self.subTest(options), self.assertRaises(BadRequest):
                Client("localhost", **options)

    def test_replies_come_under_the_user(self) -> None:
        self.assertEqual(Client("mqtt://laptop@localhost").name, "laptop")
        self.assertRegex(Client("mqtt://Not.One@localhost").name, "^py-[0-9a-f]{8}$")


class Photographs(unittest.TestCase):
    def test_forms(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "photo")
            path.write_bytes(b"bytes")
            with open(path, "rb") as file:
                for photo in (path, str(path), b"bytes", bytearray(b"bytes"), file):
                    self.assertEqual(_request.photo_bytes(photo), b"bytes")
            with open(path) as text, self.assertRaisesRegex(BadRequest, "rb"):
                _request.photo_bytes(text)  # type: ignore[arg-type]
            for wrong in (path / "none", folder, b"", io.BytesIO(), 7, None):
                with self.subTest(wrong), self.assertRaises(BadRequest):
                    _request.photo_bytes(wrong)  # type: ignore[arg-type]
        with self.assertRaisesRegex(BadRequest, "16 MiB"):
            _request.photo_bytes(bytes(_request.PHOTO_BYTES + 1))

    def test_the_envelope(self) -> None:
        line, _, rest = _request.request("i", "me", 4.75, b"\xff\xd8\xff\n").partition(b"\n")
        self.assertEqual(rest, b"\xff\xd8\xff\n")
        wanted = {"id": "i", "client": "me", "deadline_ms": 4750, "content_type": "image/jpeg"}
        self.assertEqual(json.loads(line), wanted)


class Answers(unittest.TestCase):
    def test_the_contracts_examples(self) -> None:
        text = (HANDBOOK / "WireContract.md").read_text()
        examples = re.findall(r"<!-- example: FrameResult -->\n\n```json\n(.*?)```", text, re.S)
        self.assertGreaterEqual(len(examples), 4)
        answers = [answer_of(json.loads(example)) for example in examples]
        seven, refused, several, raw = answers[:4]
        self.assertEqual((seven.label, seven.label_name, seven.confidence), (7, "seven", 0.8125))
        self.assertEqual([guess.label for guess in seven.top], [7, 1])
        self.assertEqual((seven.missing_devices, seven.missing_omitted), (("d2",), 3))
        self.assertEqual(seven.missing[0].filled_by, ("d0", "client"))
        self.assertEqual((seven.expected_accuracy, seven.reliable), (0.75, False))
        self.assertTrue(seven.degraded)
        self.assertEqual((refused.status, refused.label), ("refused", None))
        self.assertIn("d2", refused.refusal or "")
        self.assertEqual([guess.label_name for guess in several.labels], ["cat", None])
        self.assertEqual(raw.outputs[0].shape, (1, 4, 8, 8))
        self.assertEqual((raw.label, raw.degraded), (None, False))

    def test_version_1(self) -> None:
        old = body(label=1, confidence=0.5, expected=2, unknown={"a": [1]})
        del old["schema_version"], old["status"]
        self.assertEqual((answer_of(old).truth, answer_of(old).status), (2, "answered"))

    def test_what_is_no_answer(self) -> None:
        part = {"layer": "a", "device": "d0", "reason": "lost"}
        guess = {"label": 1, "confidence": 0.5}
        for changes in (
            {"schema_version": 3}, {"status": "perhaps"}, {"label": -1}, {"label": 1.5},
            {"label": True}, {"label": 2**53}, {"confidence": 1.5}, {"confidence": "1"},
            {"top5": [guess] * 6}, {"top5": [1]}, {"top5": guess}, {"labels": [guess] * 101},
            {"latency_ms": -1}, {"latency_ms": None}, {"degraded": [part] * 2049},
            {"degraded": [{**part, "device": "D 0"}]}, {"degraded": [{"layer": "a"}]},
            {"filled_neurons": None}, {"present": ["d0"] * 257}, {"present": ["../x"]},
            {"present": "d0"}, {"present": [1]}, {"guessed": 1}, {"label_name": "x" * 257},
            {"label_name": "\ud800"}, {"outputs": [{"name": "o", "shape": [-1]}]},
            {"expected_accuracy": 2}, {"frame": "1"}, {"image": "i" * 4097},
        ):  # fmt: skip
            with self.subTest(changes), self.assertRaises(Malformed):
                answer_of(body(**changes))
        answer_of(body())

    def test_what_is_no_object(self) -> None:
        for payload in (
            b"", b"null", b"[]", b"7", b"{", b"\xff", b"\x00", b'{"a": NaN}', b'{"a": Infinity}',
            b"[" * 262144, b'{"a":' * 50000, b'{"a": ' + b"9" * 200000 + b"}", b" " * 262145,
        ):  # fmt: skip
            with self.subTest(payload[:20]), self.assertRaises(Malformed):
                parse(payload, _messages.ANSWER_BYTES)
        for number in ("1e999", "-1e999"):
            with self.subTest(number), self.assertRaises(Malformed):
                parse(b'{"a": %s}' % number.encode(), 100).number("a")

    def test_what_a_status_means(self) -> None:
        for code, kind in (
            (3, BadRequest), (12, BadRequest), (4, Timeout), (7, Refused), (8, NotReady),
            (14, NotReady), (13, Failed), (2, Failed), (99, Failed),
        ):  # fmt: skip
            error = of_status(code, "STATUS", "it is so", "g0")
            self.assertIs(type(error), kind)
            self.assertIsInstance(error, MartletError)
            self.assertEqual(error.status, "STATUS")
            self.assertRegex(str(error), "^g0: it is so; .")


class Devices(unittest.TestCase):
    def setUp(self) -> None:
        self.now = 100.0
        self.book = DeviceBook(lambda: self.now, lambda: 1_795_557_773.0)

    def say(self, state: str, epoch: int) -> None:
        word = {"state": state, "epoch": epoch, "heartbeat_ms": 500, "version": "0.1.0"}
        self.book.hear_presence("d0", json.dumps(word).encode())

    def beat(self, epoch: int) -> None:
        beat = {"epoch": epoch, "seq": 1, "frame": 7, "queue": 2, "rss_bytes": 9}
        self.book.hear_heartbeat("d0", json.dumps(beat).encode())

    def test_a_retained_word_proves_nothing(self) -> None:
        self.say("ready", 5)
        self.assertEqual([(d.state, d.alive) for d in self.book.devices()], [("ready", False)])
        self.beat(5)
        (device,) = self.book.devices()
        self.assertTrue(device.alive)
        self.assertEqual((device.frame, device.queue, device.full), (7, 2, False))
        self.now += 1.6
        self.assertFalse(self.book.devices()[0].alive)

    def test_epochs(self) -> None:
        self.say("ready", 5)
        self.beat(5)
        self.say("lost", 4)
        self.assertTrue(self.book.devices()[0].alive)
        self.say("ready", 6)
        self.assertFalse(self.book.devices()[0].alive)
        with self.assertRaises(Malformed):
            self.say("ready", 2_200_000_000_000)

    def test_the_number_of_names_is_bounded(self) -> None:
        word = b'{"state": "ready", "epoch": 1, "heartbeat_ms": 10, "version": ""}'
        for index in range(1100):
            self.book.hear_presence(f"d{index}", word)
        self.assertEqual(len(self.book.devices()), 1024)


class Streams(unittest.TestCase):
    def test_a_slow_reader_loses_the_oldest(self) -> None:
        stream = Stream("+")
        for index in range(MOST_WAITING + 5):
            stream.put(answer_of(body(seq=index)))
            stream.put(answer_of(body(seq=index)))
        self.assertEqual(stream.dropped, 5)
        first = stream.wait(None)
        assert first is not None
        self.assertEqual(first.seq, 5)
        stream.end()
        self.assertEqual(sum(1 for _ in iter(lambda: stream.wait(None), None)), MOST_WAITING - 1)


if __name__ == "__main__":
    unittest.main()
