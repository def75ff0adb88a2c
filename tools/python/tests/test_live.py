"""Both clients with real workers and a gateway, of the martlet that MARTLET names."""

from __future__ import annotations

import asyncio
import unittest
from typing import Any, Dict, List, Optional

from martlet_client import Answer, AsyncClient, BadRequest, Client, NotReady, Refused, Timeout
from martlet_client import Unreachable

from .deployment import MARTLET, Deployment, until


def whole(answers: List[Answer]) -> Optional[List[Answer]]:
    """The answers, if nothing was missing of any."""
    return None if any(answer.degraded for answer in answers) else answers


@unittest.skipUnless(MARTLET, "MARTLET names no executable")
class WorkersAndAGateway(unittest.TestCase):
    deployment: Deployment

    @classmethod
    def setUpClass(cls) -> None:
        cls.deployment = Deployment(devices=2)
        cls.addClassCleanup(cls.deployment.close)
        cls.deployment.plain_broker()
        cls.deployment.start_workers()
        cls.deployment.start_gateway()
        with Client(cls.deployment.broker) as client:
            cls.deployment.wait_until_whole(client)

    def test_digits_are_recognised(self) -> None:
        with Client(self.deployment.broker) as client:
            photos = self.deployment.photos
            # On a machine that is busy a device may be missed now and then.
            answers = until(
                lambda: whole(list(client.classify_many(photos.values(), in_flight=4))),
                "answers of all devices",
            )
            right = [
                str(answer.label) == self.deployment.labels[name]
                for name, answer in zip(photos, answers)
            ]
            # The demo's network is right in 98 of 100; of these eight it misses one at most.
            self.assertGreaterEqual(sum(right), len(photos) - 1)
            for answer in answers:
                self.assertEqual((answer.gateway, answer.status), ("g0", "answered"))
                self.assertEqual((answer.task, answer.degraded), ("classification", False))
                self.assertEqual(answer.top[0].label, answer.label)
                self.assertEqual(set(answer.present), {"d0", "d1"})
            self.assertEqual(len({answer.request_id for answer in answers}), len(answers))
            self.assertEqual(client.dropped, 0)

    def test_the_twin_agrees(self) -> None:
        photos = list(self.deployment.photos.values())

        async def main() -> List[Answer]:
            async with AsyncClient(self.deployment.broker) as twin:
                gathered = await asyncio.gather(*(twin.classify(photo) for photo in photos))
                many = [answer async for answer in twin.classify_many(photos)]
                devices = await twin.devices()
                self.assertEqual([device.name for device in devices], ["d0", "d1", "g0"])
                return [*gathered, *many]

        with Client(self.deployment.broker) as client:
            answers = until(
                lambda: whole([*client.classify_many(photos), *asyncio.run(main())]),
                "answers of all devices",
            )
        labels = [answer.label for answer in answers]
        self.assertEqual(labels, labels[:8] * 3)

    def test_no_image(self) -> None:
        with Client(self.deployment.broker) as client:
            with self.assertRaises(BadRequest) as caught:
                client.classify(b"this is no image")
            self.assertEqual(caught.exception.status, "INVALID_ARGUMENT")

    def test_results_and_devices(self) -> None:
        with Client(self.deployment.broker) as client, client.results(timeout=20) as stream:
            answer = client.classify(self.deployment.first_photo())
            seen = next(one for one in stream if one.request_id == answer.request_id)
            self.assertEqual((seen.label, seen.frame), (answer.label, answer.frame))
            self.assertIsNotNone(seen.client)

            def alive() -> List[str]:
                return [device.name for device in client.devices(listen=0.1) if device.alive]

            until(lambda: alive() == ["d0", "d1", "g0"], "all are alive")

    def test_another_group_and_another_deployment(self) -> None:
        wrong: List[Dict[str, Any]] = [{"group": "nobody"}, {"deployment": "elsewhere"}]
        for options in wrong:
            with self.subTest(options):
                with Client(self.deployment.broker, **options) as client:
                    with self.assertRaisesRegex((NotReady, Timeout), "gateway"):
                        client.classify(self.deployment.first_photo(), timeout=1)

    def test_workers_that_are_killed_and_come_back(self) -> None:
        with Client(self.deployment.broker) as client:
            self.deployment.kill("d1")

            def degraded() -> Optional[Answer]:
                answer = client.classify(self.deployment.first_photo())
                return answer if answer.missing_devices == ("d1",) else None

            answer = until(degraded, "an answer without d1")
            self.assertTrue(answer.degraded)
            self.assertNotIn("d1", answer.present)
            self.assertEqual((answer.status, answer.reliable), ("answered", False))
            self.assertGreater(answer.filled_neurons, 0)
            self.deployment.kill("d0")

            def refused() -> Optional[str]:
                try:
                    client.classify(self.deployment.first_photo(), timeout=2)
                except NotReady as error:
                    return error.status
                except Timeout:
                    pass
                return None

            self.assertEqual(until(refused, "no device is there"), "UNAVAILABLE")
            for device in ("d0", "d1"):
                self.deployment.start_worker(device)
            self.deployment.wait_until_whole(client)


@unittest.skipUnless(MARTLET, "MARTLET names no executable")
class AtASecuredBroker(unittest.TestCase):
    """TLS, passwords and narrow rights, as tools/make-broker makes them."""

    deployment: Deployment

    @classmethod
    def setUpClass(cls) -> None:
        cls.deployment = Deployment(devices=2)
        cls.addClassCleanup(cls.deployment.close)
        cls.deployment.secured_broker()
        cls.deployment.start_workers()
        cls.deployment.start_gateway()
        cls.address = cls.deployment.broker.replace("://", "://laptop@")

    address: str

    def test_logging_in(self) -> None:
        authority, file = self.deployment.authority, self.deployment.password_file
        with Client(self.address, ca=authority, password_file=file) as client:
            answer = self.deployment.wait_until_whole(client)
            self.assertEqual((answer.gateway, client.name), ("g0", "laptop"))

        async def main() -> Optional[str]:
            password = file.read_text().strip()
            async with AsyncClient(self.address, ca=authority, password=password) as twin:
                return (await twin.classify(self.deployment.first_photo())).gateway

        self.assertEqual(asyncio.run(main()), "g0")

    def test_a_wrong_password(self) -> None:
        client = Client(self.address, ca=self.deployment.authority, password="wrong")
        with self.assertRaisesRegex(Refused, "password"):
            client.classify(self.deployment.first_photo())

        async def main() -> None:
            twin = AsyncClient(self.address, ca=self.deployment.authority, password="wrong")
            with self.assertRaisesRegex(Refused, "password"):
                await twin.classify(self.deployment.first_photo())

        asyncio.run(main())

    def test_an_authority_that_is_not_trusted(self) -> None:
        with self.assertRaisesRegex(Unreachable, "ca must be"):
            Client(self.address, password="any").classify(self.deployment.first_photo())

    def test_a_certificate_for_another_name(self) -> None:
        address = self.address.replace("localhost", "127.0.0.1")
        with self.assertRaisesRegex(Unreachable, "the name in it"):
            Client(address, ca=self.deployment.authority, password="any").devices()

    def test_a_port_with_tls_reached_without(self) -> None:
        with self.assertRaises(Unreachable):
            Client(self.address.replace("mqtts", "mqtt"), timeout=2).devices()


if __name__ == "__main__":
    unittest.main()
