"""A broker, workers and a gateway of their own for the tests, of the martlet that MARTLET names."""

from __future__ import annotations

import atexit
import os
import pathlib
import shutil
import socket
import subprocess
import tarfile
import tempfile
import time
from typing import Callable, Dict, List, Optional, TypeVar

import martlet_client

ROOT = pathlib.Path(__file__).resolve().parents[3]
FILES = ROOT / "Sources" / "CDemoAssets" / "files"
MARTLET = os.environ.get("MARTLET", "")
MOSQUITTO = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
_Value = TypeVar("_Value")


def until(look: Callable[[], Optional[_Value]], what: str, seconds: float = 30) -> _Value:
    """What `look` returns once that is true."""
    end = time.monotonic() + seconds
    while True:
        value = look()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Deployment:
    """Everything lies in a folder that is removed at the end."""

    def __init__(self, devices: int = 2) -> None:
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="martlet-python-"))
        self.children: Dict[str, subprocess.Popen[bytes]] = {}
        atexit.register(self.close)
        # mosquitto that root starts becomes another user.
        self.folder.chmod(0o755)
        self.devices = [f"d{index}" for index in range(devices)]
        self.users: Dict[str, List[str]] = {}
        with tarfile.open(FILES / "digits.tar") as archive:
            members = [member for member in archive if member.name.endswith(".png")][:8]
            self.photos = {member.name: self._extract(archive, member) for member in members}
            labels = archive.extractfile("labels.tsv")
            assert labels is not None
            self.labels = dict(line.split()[:2] for line in labels.read().decode().splitlines())

    def _extract(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> pathlib.Path:
        file = archive.extractfile(member)
        assert file is not None
        path = self.folder / pathlib.Path(member.name).name
        path.write_bytes(file.read())
        return path

    def first_photo(self) -> pathlib.Path:
        return next(iter(self.photos.values()))

    def close(self) -> None:
        for child in self.children.values():
            child.kill()
            child.wait()
        self.children = {}
        shutil.rmtree(self.folder, ignore_errors=True)
        atexit.unregister(self.close)

    # Processes

    def start(self, name: str, *command: str) -> None:
        with open(self.folder / f"{name}.log", "ab") as log:
            self.children[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def kill(self, name: str) -> None:
        child = self.children.pop(name)
        child.kill()
        child.wait()

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def plain_broker(self) -> None:
        """A broker that lets everybody on this machine do everything, over TCP and a socket."""
        self.port = free_port()
        configuration = self.folder / "plain.conf"
        # Started by root it stays root, so that it can make the socket in this folder.
        configuration.write_text(
            f"listener {self.port} 127.0.0.1\nlistener 0 {self.folder}/mqtt.sock\n"
            "user root\nallow_anonymous true\npersistence false\n"
        )
        self.broker = f"mqtt://127.0.0.1:{self.port}"
        self._configuration = configuration
        self.restart_broker()

    def restart_broker(self) -> None:
        """Starts the broker, on the same port if it ran before."""
        self.start("broker", MOSQUITTO, "-c", str(self._configuration))
        self._wait_for_broker()

    def secured_broker(self) -> None:
        """The broker of tools/make-broker: TLS, passwords, narrow rights."""
        self.port = free_port()
        made = self.folder / "broker"
        subprocess.run(
            [str(ROOT / "tools" / "make-broker"), "--host", "localhost", "--port", str(self.port)]
            + ["--client", "laptop", "--devices", ",".join(self.devices), "--gateways", "g0"]
            + [str(made)],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        self.authority = made / "authority.pem"
        for user in self.devices + ["g0"]:
            self.users[user] = ["--ca-file", str(self.authority), "--username", user]
            self.users[user] += ["--password-file", str(made / "users" / user)]
        self.password_file = made / "users" / "laptop"
        self.broker = f"mqtts://localhost:{self.port}"
        self._configuration = made / "mosquitto.conf"
        self.restart_broker()

    def _wait_for_broker(self) -> None:
        def listens() -> bool:
            if self.children["broker"].poll() is not None:
                raise AssertionError(self.log("broker"))
            with socket.socket() as probe:
                return probe.connect_ex(("127.0.0.1", self.port)) == 0

        until(listens, "the broker listens")

    def start_workers(self) -> None:
        plan = self.folder / "plan"
        if not plan.exists():
            subprocess.run(
                [MARTLET, "plan", str(FILES / "demo.onnx"), "--method", "interleaved"]
                + ["--devices", str(len(self.devices)), "-o", str(plan)],
                check=True,
                stdout=subprocess.DEVNULL,
            )
        for device in self.devices:
            self.start_worker(device)

    def _member(self, name: str, *command: str) -> None:
        access = ["--broker", self.broker, "--plan", str(self.folder / "plan")]
        self.start(name, MARTLET, *command, *access, *self.users.get(name, []))

    def start_worker(self, device: str) -> None:
        self._member(device, "worker", "--device", device)

    def start_gateway(self, *options: str) -> None:
        self._member("g0", "gateway", "--name", "g0", *options)

    def wait_until_whole(self, client: martlet_client.Client) -> martlet_client.Answer:
        """Until an answer has everything of all devices."""

        def look() -> Optional[martlet_client.Answer]:
            for name, child in self.children.items():
                if child.poll() is not None:
                    raise AssertionError(f"{name} ended: {self.log(name)}")
            try:
                answer = client.classify(self.first_photo(), timeout=2)
            except (martlet_client.NotReady, martlet_client.Timeout):
                return None
            whole = not answer.degraded and set(answer.present) == set(self.devices)
            return answer if whole else None

        return until(look, "an answer of all devices")
