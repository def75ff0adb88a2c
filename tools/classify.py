#!/usr/bin/env python3
"""Classifies a photograph through a gateway and prints its answer as JSON. Needs paho-mqtt.

  tools/classify.py HOST photo.jpg
  tools/classify.py HOST photo.jpg --ca-file authority.pem --username laptop --password-file users/laptop

An example of how little a caller needs. Programs of your own are better served by the package
martlet-client in tools/python: typed answers, errors that say what to do, asyncio, several in flight.
"""
import argparse, json, pathlib, sys, time, uuid
import paho.mqtt.client as mqtt

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
parser.add_argument("broker", help="HOST or HOST:PORT; the port is 8883 with TLS, else 1883")
parser.add_argument("photo", type=pathlib.Path, help="a JPEG, a PNG or a safetensors file")
parser.add_argument("--ca-file", help="PEM file of the authorities to trust; TLS")
parser.add_argument("--username", help="user name at the broker")
parser.add_argument("--password-file", type=pathlib.Path, help="a file with the password on its first line")
parser.add_argument("--deployment", default="default")
parser.add_argument("--group", default="gateway", help="the name that the gateways share")
parser.add_argument("--timeout", type=float, default=10, help="seconds to wait for the answer")
options = parser.parse_args()

# The broker's rights name users, so a user's replies come under its own name.
me, root = options.username or f"py-{uuid.uuid4().hex[:8]}", f"martlet/1/{options.deployment}"
request = {"id": uuid.uuid4().hex, "client": me, "deadline_ms": int(options.timeout * 1000), "content_type": "image/jpeg"}
try:
    payload = json.dumps(request).encode() + b"\n" + options.photo.read_bytes()
    password = options.password_file and options.password_file.read_text().splitlines()[0]
except (OSError, IndexError) as error:
    sys.exit(f"classify.py: {error}")
replies, refusals = [], []

def connected(client, _, __, reason, *___):
    if getattr(reason, "is_failure", reason != 0): return refusals.append(str(reason))
    client.subscribe(f"{root}/reply/{me}/inference", 1)

def received(_, __, message):
    reply = json.loads(message.payload)
    if reply.get("id") == request["id"]: replies.append(reply)

client = mqtt.Client(*[v.VERSION2 for v in [getattr(mqtt, "CallbackAPIVersion", None)] if v])
client.on_connect, client.on_message = connected, received
client.on_subscribe = lambda *_: client.publish(f"{root}/rpc/inference/infer/{options.group}", payload, 1)
if options.username: client.username_pw_set(options.username, password)
host, _, port = options.broker.partition(":")
try:
    if options.ca_file: client.tls_set(ca_certs=options.ca_file)
    client.connect(host, int(port or (8883 if options.ca_file else 1883)))
except (OSError, ValueError) as error:
    sys.exit(f"classify.py: cannot connect to {options.broker}: {error}")
end = time.monotonic() + options.timeout + 2
while not replies and not refusals and time.monotonic() < end: client.loop(0.1)
client.disconnect()
if refusals: sys.exit(f"classify.py: the broker refused the connection: {refusals[0]}")
if not replies: sys.exit(f"classify.py: no answer; does a gateway of the group {options.group} run, and may {me} call it?")
print(json.dumps(replies[0]))
sys.exit(0 if replies[0].get("status") == "OK" else 1)
