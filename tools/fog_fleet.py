"""A trained fog network on this machine, for tools/demo-fog and tools/bench/fog-live: brokers for the
tiers, a `martlet worker` for each node, samples, and the same network in one process.

Needs mosquitto and the martlet executable, and nothing but Python's own library.
"""

import ast
import contextlib
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIERS = ["edge", "fog", "cloud"]
# The ports that stand in the configurations.
WRITTEN_PORTS = {"edge": "18831", "fog": "18832", "cloud": "18833"}


class Trouble(Exception):
    """Something that the caller can do something about; the text says what."""


def add_options(parser, samples):
    parser.add_argument("model", help="a network of martlet fog train")
    parser.add_argument("--data", required=True, help="the folder of samples and labels")
    parser.add_argument("--split", default="test", help="which samples (default: test)")
    parser.add_argument("--samples", type=int, default=samples,
                        help=f"samples for each combination of failed nodes (default: {samples})")
    parser.add_argument("--seed", type=int, default=1,
                        help="of samples, failures and guesses (default: 1)")
    parser.add_argument("--deadline", default="2s", help="of workers and client (default: 2s)")
    parser.add_argument("--json", metavar="FILE", help="write all figures")
    parser.add_argument("--martlet", default=str(ROOT / ".build/release/martlet"),
                        help="the executable (default: .build/release/martlet)")
    parser.add_argument("--keep", action="store_true", help="keep the folder with plan and logs")


def main(parser, options, body):
    """Runs `body(options, folder)` and returns the exit status: 2 for trouble, 130 for Ctrl-C."""
    if options.samples < 1:
        parser.error("--samples must be 1 or more")
    # As on Ctrl-C, so that nothing is left running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="martlet-fog-"))
    # Started as root, mosquitto becomes another user, who must reach his configuration.
    folder.chmod(0o755)
    try:
        return body(options, folder)
    except (Trouble, OSError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    finally:
        if options.keep:
            print(f"plan and logs are in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def topology(model):
    """The topology of a trained network: JSON in the header of its safetensors file."""
    try:
        with open(model, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(min(length, 1 << 26)))
        return json.loads(header["__metadata__"]["martlet_fog"])["topology"]
    except (struct.error, ValueError, KeyError):
        raise Trouble(f"{model} is not a network of martlet fog train") from None


def rows_of(path):
    """Header and rows of an .npy file, as bytes."""
    data = pathlib.Path(path).read_bytes()
    wide = data[6] != 1
    (length,) = struct.unpack_from("<I" if wide else "<H", data, 8)
    start = (12 if wide else 10) + length
    header = ast.literal_eval(data[start - length:start].decode("latin1"))
    count = header["shape"][0]
    size = (len(data) - start) // max(count, 1)
    return header, [data[start + row * size:start + (row + 1) * size] for row in range(count)]


def pick(source, target, chosen):
    """Copies these rows of an .npy file."""
    header, rows = rows_of(source)
    header["shape"] = (len(chosen), *header["shape"][1:])
    text = repr(header).encode("latin1")
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    with open(target, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)
        file.writelines(rows[row] for row in chosen)


def free_ports(count):
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Network:
    """The trained network: its nodes, its plan, its samples, and what it comes to in one process."""

    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        shape = topology(options.model)
        self.tiers = {node["name"]: node["tier"] for node in shape["nodes"]}
        self.connections = [(one["from"], one["to"]) for one in shape["connections"]]
        self.settings = {one["name"]: one["survival"] for one in shape["settings"]}
        self.cloud = next(name for name, tier in self.tiers.items() if tier == "cloud")
        self.mortal = [name for name in self.tiers if name != self.cloud]
        self.plan = folder / "plan"
        self.martlet("fog", "plan", options.model, "-o", self.plan)
        self.data = folder / "data"
        self.data.mkdir()
        names = [f"{options.split}-inputs.npy", f"{options.split}-labels.npy"]
        source = pathlib.Path(options.data)
        header, rows = rows_of(source / names[0])
        # Not the first ones: they may all be of one class.
        chosen = sorted(random.Random(options.seed).sample(
            range(len(rows)), min(options.samples, len(rows))))
        for name in names:
            pick(source / name, self.data / name, chosen)
        self.samples = len(chosen)
        self.inputs = ["--plan", self.plan, "--samples", self.data / names[0],
                       "--sample-labels", self.data / names[1], "--json", "--log-level", "error"]

    def martlet(self, *arguments):
        done = subprocess.run(
            [self.options.martlet, *map(str, arguments)], stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise Trouble(f"martlet {arguments[0]} exited with status {done.returncode}")
        return done.stdout

    def evaluate(self, *more):
        """`martlet fog evaluate`: each combination by its failed nodes, and the averages."""
        report = json.loads(self.martlet(
            "fog", "evaluate", self.options.model, "--data", self.data, "--split",
            self.options.split, "--json", *more))
        model = report["series"][0]["models"][0]
        return {frozenset(one["failed"]): one for one in model["combinations"]}, model["averages"]

    def run(self, *more):
        """`martlet run`: the answers and their summary."""
        lines = [json.loads(line) for line in self.martlet("run", *self.inputs, *more).splitlines()]
        return lines[:-1], lines[-1]

    def in_one_process(self, failed, guess_seed):
        without = ["--without", ",".join(sorted(failed))] if failed else []
        return self.run("--in-process", "--guess-seed", guess_seed, *without)


class Fleet:
    """A broker, or one for each tier joined by bridges, and a worker for each node. Leaving the scope
    ends all of them."""

    def __init__(self, network, tiers):
        self.network = network
        self.tiers = TIERS if tiers else ["edge"]
        self.workers = {}
        self.brokers = []
        self.ports = {}

    def __enter__(self):
        try:
            self.start_brokers()
        except BaseException:
            self.land()
            raise
        return self

    def __exit__(self, *_):
        self.land()

    def start_brokers(self):
        folder = self.network.folder
        self.ports = dict(zip(self.tiers, free_ports(len(self.tiers))))
        path = os.environ.get("PATH", "") + os.pathsep + "/usr/sbin"
        mosquitto = shutil.which("mosquitto", path=path)
        if not mosquitto:
            raise Trouble("there is no mosquitto; see tools/install-dependencies")
        for tier in self.tiers:
            text = (ROOT / "broker-config" / f"{tier}.conf").read_text()
            for name, port in self.ports.items():
                text = text.replace(WRITTEN_PORTS[name], str(port))
            # What the cloud's device computes descends.
            text = text.replace("/act/+/cloud ", f"/act/+/{self.network.cloud} ")
            config = folder / f"{tier}.conf"
            config.write_text(text)
            log = folder / f"{tier}-broker.log"
            with open(log, "w") as file:
                broker = subprocess.Popen([mosquitto, "-c", config], stdout=file, stderr=file)
            self.brokers.append(broker)
            end = time.monotonic() + 10
            while not self.accepts(tier):
                if broker.poll() is not None or time.monotonic() > end:
                    raise Trouble(
                        f"the broker of the {tier} tier did not start:\n{log.read_text()}")
                time.sleep(0.02)

    def accepts(self, tier):
        with socket.socket() as one:
            one.settimeout(1)
            return one.connect_ex(("127.0.0.1", self.ports[tier])) == 0

    def broker(self, tier):
        return f"mqtt://127.0.0.1:{self.ports.get(tier, self.ports['edge'])}"

    def start(self, name):
        network = self.network
        with open(network.folder / f"{name}.log", "a") as log:
            self.workers[name] = subprocess.Popen(
                [network.options.martlet, "worker", "--broker", self.broker(network.tiers[name]),
                 "--plan", network.plan, "--device", name, "--log-level", "warning",
                 "--heartbeat", "250ms", "--deadline", network.options.deadline],
                stdout=log, stderr=log)

    def arrange(self, failed):
        """Kills (SIGKILL) and starts workers so that exactly these nodes are not there, and sends
        samples until an answer says that everybody has heard of it."""
        for name in self.network.tiers:
            worker = self.workers.get(name)
            if worker and worker.poll() is not None:
                raise Trouble(f"the worker {name} ended by itself; see its log (--keep)")
            if name in failed and worker:
                worker.kill()
                worker.wait()
                del self.workers[name]
            elif name not in failed and not worker:
                self.start(name)
        end = time.monotonic() + 30
        while True:
            answers, _ = self.send(0, "--frames", 1)
            missing = {one["device"] for one in answers[0]["degraded"] if one["reason"] != "null"}
            if missing <= set(failed) and set(answers[0]["present"]).isdisjoint(failed):
                return
            if time.monotonic() > end:
                raise Trouble("the nodes do not see each other; without "
                              f"{' '.join(sorted(failed)) or 'nobody'} an answer says {answers[0]}")

    def send(self, guess_seed, *more):
        """All samples, from the edge tier, one after the other."""
        return self.network.run(
            "--broker", self.broker("edge"), "--wait-for", len(self.workers), "--guess-seed",
            guess_seed, "--deadline", self.network.options.deadline, *more)

    def land(self):
        processes = [*self.workers.values(), *reversed(self.brokers)]
        for process in processes:
            process.terminate()
        for process in processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
