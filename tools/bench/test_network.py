#!/usr/bin/env python3
"""Tests of tools/bench/network: python3 tools/bench/test_network.py. As root also with boards, links
and a broker, where namespaces can be made."""

import importlib.machinery
import importlib.util
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time
import types
import unittest

BENCH = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(BENCH.parent))
sys.dont_write_bytecode = True
import emulated_boards  # noqa: E402


def load_program():
    loader = importlib.machinery.SourceFileLoader("network", str(BENCH / "network"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("network", loader))
    loader.exec_module(module)
    return module


network = load_program()

# Says what the lab must understand, and answers 40 ms a frame where a board alone takes 100.
MARTLET = """#!%s
import json, os, socket, sys, time
words = sys.argv[1:]
def option(name):
    return words[words.index(name) + 1] if name in words else None
def answers(latency, missing):
    for number, image in enumerate(sorted(os.listdir(option("--images")))):
        lost = {"degraded": [{"device": missing}]} if missing else {}
        yield {"image": image, "label": number + 100 * bool(missing), "confidence": 0.5,
               "latency_ms": latency} | lost
if words[0] == "plan":
    os.mkdir(option("-o"))
    print(json.dumps({"devices": [{"name": f"d{n}"} for n in range(int(option("--devices")))]}))
elif words[0] == "infer":
    for answer in answers(100, None):
        print(json.dumps(answer))
elif words[0] == "worker":
    broker = socket.create_connection(("10.77.0.1", 1883))
    broker.recv(1)
    time.sleep(600)
elif words[0] == "devices":
    print(json.dumps({"devices": [{"device": f"d{n}", "state": "alive"} for n in range(2)]}))
elif words[0] == "run":
    for number, answer in enumerate(answers(40, option("--without"))):
        if "--broker" in words:
            time.sleep(float(option("--slow") or 0.05))
            if option("--end") == str(number):
                sys.exit("no device is there")
            answer["label"] += option("--wrong") == str(number)
        print(json.dumps(answer), flush=True)
    print(json.dumps({"frames": 1}))
""" % sys.executable


def answer(name, label, confidence=0.5, **more):
    return {"image": f"images/{name}", "label": label, "confidence": confidence,
            "latency_ms": 10.0} | more


class Reading(unittest.TestCase):
    def test_rates_and_delays(self):
        self.assertIsNone(emulated_boards.parse_rate("none"))
        self.assertEqual(emulated_boards.parse_rate("1.5mbit"), 1.5e6)
        self.assertEqual(emulated_boards.parse_delay("2ms"), 2)
        for text in ["", "mbit", "-1mbit", "1mb", "1bit", "1000gbit", "nan", "1 mbit"]:
            with self.assertRaises(ValueError):
                emulated_boards.parse_rate(text)
        for text in ["2", "2s", "-1ms", "99999ms"]:
            with self.assertRaises(ValueError):
                emulated_boards.parse_delay(text)

    def test_answers_are_told_from_the_summary(self):
        lines = ["", "martlet: waiting", json.dumps(answer("a", 1)), json.dumps({"frames": 3})]
        self.assertEqual([one["label"] for one in network.read_answers(lines)], [1])

    def test_what_is_the_same(self):
        whole = answer("a", 1)
        self.assertTrue(network.is_same(answer("a", 1, 0.5005), whole))
        self.assertFalse(network.is_same(answer("a", 2), whole))
        self.assertFalse(network.is_same(answer("a", 1, 0.502), whole))
        summary = {"outputs": [{"min": -1, "mean": 0, "max": 1}]}
        self.assertTrue(network.is_same(summary, summary))
        self.assertFalse(network.is_same({"outputs": [{"min": -1, "mean": 0.1, "max": 1}]}, summary))
        self.assertFalse(network.is_same({"outputs": []}, summary))
        many = {"labels": [{"label": 1, "confidence": 0.9}, {"label": 2, "confidence": 0.8}]}
        self.assertTrue(network.is_same(many, many))
        self.assertFalse(network.is_same({"labels": many["labels"][:1]}, many))

    def test_plans_may_depend_on_the_link(self):
        bench = types.SimpleNamespace(options=types.SimpleNamespace(delay="2ms"))

        def words(text, rate):
            return network.Bench.plan_words(bench, text, rate)

        self.assertEqual(words("lop", "none"), ["--method", "lop"])
        self.assertEqual(words("auto --link {link}", "50mbit"),
                         ["--method", "auto", "--link", "50mbit,2ms"])
        self.assertEqual(words("auto --link {link} --goal latency", "none"),
                         ["--method", "auto", "--goal", "latency"])
        self.assertEqual(words("--method=auto --link={link}", "none"), ["--method=auto"])


class Judging(unittest.TestCase):
    def judge(self, labels, killed_at=None, in_flight="1"):
        """Answers with these labels, where the whole deployment says 1 and the rest of it 2."""
        bench = types.SimpleNamespace(
            alone={}, options=types.SimpleNamespace(in_flight=in_flight, warm_up=1))
        names = [f"{number}.png" for number in range(len(labels))]
        expected = {name: answer(name, 1) for name in names}
        later = {name: answer(name, 2) for name in names}
        result = {"one_board_ms": 20.0}
        network.Bench.judge(
            bench, "model", [answer(name, label) for name, label in zip(names, labels)], killed_at,
            expected, later, result)
        return result["different"], result["lost_in_the_kill"], result["speed_up"]

    def test_without_losses(self):
        self.assertEqual(self.judge([1, 1, 1]), (0, 0, 2))
        self.assertEqual(self.judge([1, 3, 2]), (2, 0, 2))

    def test_frames_under_way_are_not_judged(self):
        self.assertEqual(self.judge([1, 1, 3, 2], killed_at=2), (0, 1, 2))
        self.assertEqual(self.judge([1, 1, 1, 2], killed_at=2), (0, 0, 2))
        self.assertEqual(self.judge([1, 1, 3, 3, 2], killed_at=2, in_flight="2"), (0, 2, 2))

    def test_others_are(self):
        self.assertEqual(self.judge([1, 2, 2, 2], killed_at=2), (1, 0, 2))
        self.assertEqual(self.judge([1, 1, 2, 1], killed_at=2), (1, 0, 2))


def can_make_boards():
    try:
        emulated_boards.require()
        with emulated_boards.Boards(["board"], 1e6) as boards:
            boards.quotas.make(boards.namespace("board"), 0.5)
        return emulated_boards.tool("mosquitto") is not None
    except emulated_boards.Trouble:
        return False


@unittest.skipUnless(can_make_boards(), "needs root, iproute2, cgroups, mosquitto and namespaces")
class Flying(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="martlet-lab-")
        self.addCleanup(self.folder.cleanup)
        home = pathlib.Path(self.folder.name)
        (home / "martlet").write_text(MARTLET)
        (home / "martlet").chmod(0o755)
        (home / "model.onnx").touch()
        (home / "images").mkdir()
        (home / "images/one.png").write_bytes(b"png")
        self.home = home

    def arguments(self, *more):
        return [sys.executable, str(BENCH / "network"), "--models", str(self.home), "--images",
                str(self.home / "images"), "--devices", "2", "--frames", "5", "--warm-up", "1",
                "--rates", "10mbit", "--martlet", str(self.home / "martlet"), "--json",
                str(self.home / "all.json"), *more]

    def start(self, *more):
        # Ctrl-C is ignored by what a shell without a terminal starts.
        return subprocess.Popen(
            self.arguments(*more), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))

    def left(self, process):
        """What this lab has not removed."""
        tag = f"mlab{process.pid}"
        names = [*emulated_boards.namespaces(),
                 *(path.name for path in emulated_boards.Quotas().owners()),
                 *(path.name for path in pathlib.Path(tempfile.gettempdir()).glob("mlab*"))]
        return [name for name in names if name == tag or name.startswith(tag + "-")]

    def fly(self, *more):
        process = self.start(*more)
        output, errors = process.communicate(timeout=120)
        self.assertEqual(self.left(process), [])
        results = json.loads((self.home / "all.json").read_text())
        return process.returncode, output + errors, results[0]

    def start_and_wait(self):
        """A lab that has made its boards and is not nearly done."""
        process = self.start("--run-options", "--slow 60")
        while f"mlab{process.pid}-d1" not in self.left(process):
            self.assertIsNone(process.poll())
            time.sleep(0.05)
        return process

    def test_the_table(self):
        status, output, result = self.fly()
        self.assertEqual(status, 0, output)
        self.assertIn("| 40 ms (2.50) |", output)
        self.assertEqual((result["answers"], result["different"], result["degraded"]), (6, 0, 0))
        self.assertEqual(set(result["bytes"]), {"broker", "client", "d0", "d1"})

    def test_what_goes_wrong_is_shown(self):
        status, _, result = self.fly("--run-options", "--wrong 3")
        self.assertEqual((status, result["different"]), (1, 1))
        status, output, result = self.fly("--run-options", "--end 3")
        self.assertEqual((status, result["status"], result["answers"]), (1, 1, 3))
        self.assertIn("no device is there", output)
        status, _, result = self.fly("--run-options", "--slow 60", "--timeout", "1")
        self.assertEqual((status, result["status"]), (1, "too late"))

    def test_ctrl_c_leaves_nothing(self):
        process = self.start_and_wait()
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertIn("not finished", output)
        self.assertEqual(self.left(process), [])

    def test_what_a_killed_lab_leaves_is_removed(self):
        process = self.start_and_wait()
        process.kill()
        process.communicate()
        self.assertIn(f"mlab{process.pid}-d1", self.left(process))
        done = subprocess.run(
            [sys.executable, BENCH / "network", "--clean"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.left(process), [])


if __name__ == "__main__":
    unittest.main()
