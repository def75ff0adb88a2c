#!/usr/bin/env python3
"""Classifies a photograph: classify.py HOST:PORT PHOTO. Needs paho-mqtt, and a gateway there."""
import json, sys, uuid
import paho.mqtt.client as mqtt

if len(sys.argv) != 3: sys.exit(__doc__)
me, root = f"py-{uuid.uuid4().hex[:8]}", "martlet/1/default"
request = {"id": "1", "client": me, "deadline_ms": 10000, "content_type": "image/jpeg"}
payload = json.dumps(request).encode() + b"\n" + open(sys.argv[2], "rb").read()
client = mqtt.Client(*[v.VERSION2 for v in [getattr(mqtt, "CallbackAPIVersion", None)] if v])
client.on_connect = lambda *_: client.subscribe(f"{root}/reply/{me}/inference", 1)
client.on_subscribe = lambda *_: client.publish(f"{root}/rpc/inference/infer/gateway", payload, 1)
client.on_message = lambda _, __, reply: (print(reply.payload.decode()), client.disconnect())
client.connect(*[kind(part) for kind, part in zip((str, int), sys.argv[1].split(":"))])
client.loop_forever()
