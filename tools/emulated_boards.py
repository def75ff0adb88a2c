"""Boards that do not exist, for tools/bench/network: each place (a device, the client, the broker) is a
network namespace behind a link of a given rate and delay, and a program there can be given a share of
a processor. All links meet at one bridge, as at a switch.

Every address exists only inside these namespaces, so no packet leaves the machine. What is made here
carries the number of the process that made it, so that `remove_leftovers` finds what a crash has left.
Linux only; needs root, iproute2 and, for shares of a processor, a cgroup hierarchy (version 1 or 2).
"""

import ctypes
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time

# Namespaces, groups and folders of a lab, with the number of its process.
NAME = re.compile(r"mlab([0-9]+)(-[A-Za-z0-9_-]+)?$")
# Short, so that a board that computes for a few milliseconds is slowed down as a slow one is, and does
# not come to a halt for most of a tenth of a second.
PERIOD_US = 5000
# For what a board sends ahead of its rate: a millisecond's worth, two packets at least and, because of
# timers, no more than the largest that a network card takes.
LEAST_BURST, MOST_BURST = 3200, 65536
# What waits in front of a link: enough that TCP's windows end before it does. Small switches have much
# less and make senders pause instead (IEEE 802.3x), so nothing is lost there either.
BUFFER_SECONDS, LEAST_BUFFER = 2, 64 << 10
UNITS = {"bit": 1, "kbit": 1e3, "mbit": 1e6, "gbit": 1e9}
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


class Trouble(Exception):
    """Something that the caller can do something about; the text says what."""


def parse_rate(text):
    """Bits a second of `100mbit`; None for `none`, which is no limit. Throws `ValueError`."""
    if text == "none":
        return None
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)([kmg]?bit)", text)
    bits = float(match[1]) * UNITS[match[2]] if match else 0
    if not 1e4 <= bits <= 1e11:
        raise ValueError(f"'{text}' is no rate: none, or 10kbit to 100gbit, such as 50mbit")
    return bits


def parse_delay(text):
    """Milliseconds of `2ms`. Throws `ValueError`."""
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)ms", text)
    if not match or float(match[1]) > 10_000:
        raise ValueError(f"'{text}' is no delay: 0ms to 10000ms")
    return float(match[1])


def tool(name):
    """The path of a program that may lie where only root looks, or None."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def require():
    """Throws `Trouble` unless everything is there that namespaces and links need."""
    if os.geteuid() != 0:
        raise Trouble("needs root, to make network namespaces and processor quotas; with sudo, for "
                      "example. No packet leaves this machine")
    missing = [name for name in ("ip", "tc") if not tool(name)]
    if missing:
        raise Trouble(f"there is no {' and no '.join(missing)}: apt-get install iproute2")


def ip(*arguments, check=True):
    """Standard output of `ip`. Throws `Trouble` with what it says."""
    return command("ip", *arguments, check=check)


def command(name, *arguments, check=True):
    done = subprocess.run([tool(name), *map(str, arguments)], capture_output=True, text=True)
    if check and done.returncode != 0:
        text = f"{name} {' '.join(map(str, arguments))}: {done.stderr.strip()}"
        if "not permitted" in done.stderr or "Permission denied" in done.stderr:
            text += " (root of a container that may not make namespaces? Give it CAP_SYS_ADMIN and "
            text += "CAP_NET_ADMIN, or use a virtual machine)"
        raise Trouble(text)
    return done.stdout


class Quotas:
    """Shares of a processor, by whichever version of cgroups has the processor's controller."""

    def __init__(self):
        self.version, self.root = None, None
        for line in pathlib.Path("/proc/mounts").read_text().splitlines():
            _, point, kind, options = line.split()[:4]
            point = pathlib.Path(point)
            if kind == "cgroup" and "cpu" in options.split(","):
                self.version, self.root = 1, point
                return
            if kind == "cgroup2" and "cpu" in (point / "cgroup.controllers").read_text().split():
                self.version, self.root = 2, point

    def make(self, name, share):
        """A group whose processes get that share of one processor together."""
        if not self.root:
            raise Trouble("no cgroup hierarchy with the processor's controller is mounted, so boards "
                          "cannot be slowed down; --cpu none gives every worker what it takes")
        owner = self.root / name.partition("-")[0]
        group = owner / name
        quota = int(PERIOD_US * share)
        try:
            if self.version == 1:
                group.mkdir(parents=True, exist_ok=True)
                (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
                (group / "cpu.cfs_quota_us").write_text(str(quota))
            else:
                owner.mkdir(exist_ok=True)
                for parent in (self.root, owner):
                    (parent / "cgroup.subtree_control").write_text("+cpu")
                group.mkdir(exist_ok=True)
                (group / "cpu.max").write_text(f"{quota} {PERIOD_US}")
        except OSError as error:
            raise Trouble(f"cannot limit the processor: {error}; --cpu none goes without")
        return group

    def owners(self):
        """The folders that labs have made, of this process and of others."""
        return [] if not self.root else [
            path for path in self.root.iterdir() if NAME.match(path.name) and path.is_dir()]


def remove_groups(owner):
    """Ends what still runs in these groups and removes them."""
    groups = [*owner.iterdir(), owner]
    for group in (group for group in groups if group.is_dir()):
        kill(read_numbers(group / "cgroup.procs"))
        end = time.monotonic() + 5
        while True:
            try:
                group.rmdir()
                break
            except OSError:
                # A process that was killed stays for a moment.
                if time.monotonic() > end:
                    raise Trouble(f"{group} cannot be removed: something still runs in it")
                time.sleep(0.02)


def read_numbers(path):
    try:
        return [int(line) for line in path.read_text().split()]
    except OSError:
        return []


def kill(processes):
    for process in processes:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            pass


def namespaces():
    """The names of all namespaces that labs have made."""
    lines = ip("netns", "list").splitlines()
    return [line.split()[0] for line in lines if line and NAME.match(line.split()[0])]


def make_folder():
    """A folder for the files of this lab, which everybody can read: started as root, mosquitto becomes
    another user."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"mlab{os.getpid()}-"))
    folder.chmod(0o755)
    return folder


def remove_namespace(name):
    kill(int(line) for line in ip("netns", "pids", name, check=False).split())
    ip("netns", "del", name, check=False)


def leftovers():
    """Namespaces, groups and folders of labs whose process is gone: three lists."""
    def is_left(name):
        owner = pathlib.Path("/proc") / NAME.match(name)[1] / "cmdline"
        try:
            return b"network" not in owner.read_bytes()
        except OSError:
            return True

    folders = [path for path in pathlib.Path(tempfile.gettempdir()).iterdir() if NAME.match(path.name)]
    return ([name for name in namespaces() if is_left(name)],
            [path for path in Quotas().owners() if is_left(path.name)],
            [path for path in folders if is_left(path.name)])


def remove_leftovers():
    """Removes what labs have left whose process is gone, and returns how many things that were."""
    names, groups, folders = leftovers()
    for name in names:
        remove_namespace(name)
    for group in groups:
        remove_groups(group)
    for folder in folders:
        shutil.rmtree(folder)
    return len(names) + len(groups) + len(folders)


class Boards:
    """Places with links between them, and programs in them. Leaving the scope ends the programs and
    removes everything."""

    def __init__(self, places, rate, delay=0, buffer=None):
        """`rate` in bits a second, or None; `delay` in milliseconds, one way, of each link; `buffer` in
        bytes, in front of each link."""
        self.tag = f"mlab{os.getpid()}"
        self.places = list(places)
        self.rate, self.delay, self.buffer = rate, delay, buffer
        self.has_delay = False
        self.quotas = Quotas()
        self.programs = []

    def __enter__(self):
        try:
            self.build()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_):
        self.remove()

    def namespace(self, place):
        return f"{self.tag}-{place}"

    def address(self, place):
        return f"10.77.0.{1 + self.places.index(place)}"

    def build(self):
        hub = self.namespace("hub")
        ip("netns", "add", hub)
        ip("-n", hub, "link", "add", "name", "switch", "type", "bridge")
        ip("-n", hub, "link", "set", "switch", "up")
        self.has_delay = self.delay > 0 and self.knows_delay(hub)
        for number, place in enumerate(self.places):
            name, port = self.namespace(place), f"port{number}"
            ip("netns", "add", name)
            ip("-n", hub, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", name)
            ip("-n", hub, "link", "set", port, "master", "switch", "up")
            ip("-n", name, "address", "add", self.address(place) + "/24", "dev", "eth0")
            for one in ("eth0", "lo"):
                ip("-n", name, "link", "set", one, "up")
            # What boards come with, whatever this machine uses.
            ip("netns", "exec", name, "sh", "-c",
               "echo cubic > /proc/sys/net/ipv4/tcp_congestion_control 2>/dev/null || true")
            self.limit(name, "eth0")
            self.limit(hub, port)

    def knows_delay(self, hub):
        """Whether the kernel has netem."""
        try:
            self.discipline(hub, "switch", "root", "netem", "delay", f"{self.delay}ms")
        except Trouble:
            return False
        command("tc", "-n", hub, "qdisc", "del", "dev", "switch", "root")
        return True

    def discipline(self, namespace, device, *arguments):
        command("tc", "-n", namespace, "qdisc", "add", "dev", device, *arguments)

    def limit(self, namespace, device):
        """Gives one direction of a link its rate and delay."""
        place = ["root"]
        if self.has_delay:
            self.discipline(namespace, device, *place, "handle", "1:", "netem", "delay",
                            f"{self.delay}ms", "limit", 100_000)
            place = ["parent", "1:1"]
        if self.rate:
            bytes_a_second = self.rate / 8
            burst = min(max(bytes_a_second / 1000, LEAST_BURST), MOST_BURST)
            buffer = self.buffer or max(bytes_a_second * BUFFER_SECONDS, LEAST_BUFFER)
            self.discipline(namespace, device, *place, "handle", "2:", "tbf", "rate",
                            f"{int(self.rate)}bit", "burst", int(burst), "limit", int(buffer + burst))

    def start(self, place, arguments, share=None, **streams):
        """Starts a program in a place, with a share of a processor."""
        group = self.quotas.make(self.namespace(place), share) if share else None

        def prepare():
            # A lab that is killed leaves nothing that computes.
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if group:
                (group / "cgroup.procs").write_text(str(os.getpid()))

        program = subprocess.Popen(
            [tool("ip"), "netns", "exec", self.namespace(place), *map(str, arguments)],
            # Ctrl-C is the lab's, which ends its programs in order.
            preexec_fn=prepare, start_new_session=True, **streams)
        self.programs.append(program)
        return program

    def counters(self):
        """Bytes that each place has sent and received, payload and headers: the interface's statistics
        at the switch's end of its link. A large segment that the kernel moves as one packet counts one
        header."""
        ports = json.loads(ip("-n", self.namespace("hub"), "-s", "-j", "link", "show", "type", "veth"))
        found = {port["ifname"]: port["stats64"] for port in ports}
        return {place: (found[f"port{number}"]["rx"]["bytes"], found[f"port{number}"]["tx"]["bytes"])
                for number, place in enumerate(self.places)}

    def remove(self):
        """Ends everything, the last first, and removes it. A second Ctrl-C has to wait for that."""
        before = signal.pthread_sigmask(
            signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
        try:
            self.end_programs()
            for name in namespaces():
                if name.startswith(self.tag + "-"):
                    remove_namespace(name)
            for owner in self.quotas.owners():
                if owner.name == self.tag:
                    remove_groups(owner)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def end_programs(self):
        programs = list(reversed(self.programs))
        for program in programs:
            if program.poll() is None:
                program.terminate()
        end = time.monotonic() + 5
        for program in programs:
            try:
                program.wait(max(end - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
