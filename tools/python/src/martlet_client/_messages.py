"""Answers, replies and words of devices, as the wire contract describes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Optional, Tuple

from ._checks import Fields, Malformed, parse

ANSWER_BYTES = 262144
WORD_BYTES = 4096
SCHEMA_VERSION = 2


@dataclass(frozen=True)
class Guess:
    """A class and its probability."""

    label: int
    label_name: Optional[str]
    confidence: float


@dataclass(frozen=True)
class Missing:
    """A part of a layer that was filled, because it did not come."""

    layer: str
    device: str
    #: `deadline`, `lost`, `suspect`, `corrupt`, `denied`, `null`; later versions may have more.
    reason: str
    #: Who went on without it: devices, and `client`.
    filled_by: Tuple[str, ...]
    neurons: Optional[int]


@dataclass(frozen=True)
class Output:
    """What an output that names no class is like (task `raw`)."""

    name: str
    shape: Tuple[int, ...]
    min: Optional[float]
    mean: Optional[float]
    max: Optional[float]
    not_finite: int


@dataclass(frozen=True)
class Answer:
    """What a deployment says of one image: version 2 of the contract's form, or version 1."""

    #: `answered`, or `refused`: not good enough for its client, and `refusal` says why.
    status: str
    #: `classification`, `binary`, `multilabel`, `raw`; None in version 1.
    task: Optional[str]
    #: The likeliest class; None for `raw` outputs and refused answers.
    label: Optional[int]
    label_name: Optional[str]
    #: The probability of `label`, 0 to 1.
    confidence: Optional[float]
    #: The likeliest classes, at most five, best first.
    top: Tuple[Guess, ...]
    #: For `multilabel`: all labels of at least one half.
    labels: Tuple[Guess, ...]
    #: For `raw`.
    outputs: Tuple[Output, ...]
    #: Milliseconds from sending the frame to the devices to the answer.
    latency_ms: float
    #: The parts that were filled; empty when nothing was missing.
    missing: Tuple[Missing, ...]
    #: How many more were, at least, that found no room in the message.
    missing_omitted: int
    filled_neurons: int
    #: Whether `label` was drawn at random, because nothing reached the last layer.
    guessed: bool
    #: Whether the answer is about as sure as with all devices; None where nobody says.
    reliable: Optional[bool]
    #: How many answers of these devices are right, 0 to 1, if the plan was studied.
    expected_accuracy: Optional[float]
    refusal: Optional[str]
    #: The devices of which nothing was missing.
    present: Tuple[str, ...]
    #: The devices that were counted on.
    alive: Tuple[str, ...]
    request_id: Optional[str]
    #: When the answer was there: RFC 3339, UTC.
    time: Optional[str]
    image: Optional[str]
    truth: Optional[int]
    truth_name: Optional[str]
    frame: int
    epoch: int
    seq: int
    plan: Optional[str]
    attempts: Optional[int]
    #: Who answered: the gateway of a reply; None in a stream of results.
    gateway: Optional[str] = None
    #: Whose answer it is: the client of a streamed result; None in a reply.
    client: Optional[str] = None

    @property
    def degraded(self) -> bool:
        """Whether anything was missing."""
        return bool(self.missing or self.missing_omitted)

    @property
    def missing_devices(self) -> Tuple[str, ...]:
        """The devices of which parts are listed as missing, in the order of the list."""
        return tuple(dict.fromkeys(part.device for part in self.missing))


def _guess(fields: Fields) -> Guess:
    return Guess(
        fields.whole("label"),
        fields.text_or_none("label_name", 256),
        fields.number("confidence", 0, 1),
    )


def _missing(fields: Fields) -> Missing:
    return Missing(
        fields.identifier("layer"),
        fields.identifier("device"),
        fields.text("reason", 32),
        tuple(fields.identifiers("filled_by", 257)),
        fields.whole_or_none("neurons"),
    )


def _output(fields: Fields) -> Output:
    return Output(
        fields.text("name", 4096),
        tuple(fields.wholes("shape", 64)),
        fields.number_or_none("min"),
        fields.number_or_none("mean"),
        fields.number_or_none("max"),
        fields.whole("not_finite"),
    )


def answer(
    fields: Fields, gateway: Optional[str] = None, client: Optional[str] = None
) -> Answer:
    """Reads an answer. Raises `Malformed` for what is none."""
    version = fields.whole_or_none("schema_version") or 1
    if version > SCHEMA_VERSION:
        raise Malformed(
            f"schema_version {version} is newer than {SCHEMA_VERSION}: update martlet-client"
        )
    status = fields.text_or_none("status", 32) or "answered"
    if status not in ("answered", "refused"):
        raise Malformed("status is neither answered nor refused")
    return Answer(
        status=status,
        task=fields.text_or_none("task", 32),
        label=fields.whole_or_none("label"),
        label_name=fields.text_or_none("label_name", 256),
        confidence=fields.number_or_none("confidence", 0, 1),
        top=tuple(map(_guess, fields.objects("top5", 5))),
        labels=tuple(map(_guess, fields.objects("labels", 100))),
        outputs=tuple(map(_output, fields.objects("outputs", 1024))),
        latency_ms=fields.number("latency_ms", 0),
        missing=tuple(map(_missing, fields.objects("degraded", 2048))),
        missing_omitted=fields.whole_or_none("degraded_omitted") or 0,
        filled_neurons=fields.whole("filled_neurons"),
        guessed=fields.flag_or_none("guessed") or False,
        reliable=fields.flag_or_none("reliable"),
        expected_accuracy=fields.number_or_none("expected_accuracy", 0, 1),
        refusal=fields.text_or_none("refusal", 65536),
        present=tuple(fields.identifiers("present")),
        alive=tuple(fields.identifiers("alive")),
        request_id=fields.text_or_none("request_id", 256),
        time=fields.text_or_none("time", 64),
        image=fields.text_or_none("image", 4096),
        # Version 1 called it `expected`.
        truth=fields.whole_or_none("truth" if version > 1 else "expected"),
        truth_name=fields.text_or_none("truth_name", 256),
        frame=fields.whole("frame"),
        epoch=fields.whole("epoch"),
        seq=fields.whole("seq"),
        plan=fields.text_or_none("plan", 64),
        attempts=fields.whole_or_none("attempts"),
        gateway=gateway,
        client=client,
    )


@dataclass(frozen=True)
class Reply:
    """One message of a call's answer."""

    id: str
    sender: str
    index: int
    last: bool
    #: How the call ended, with the last message.
    code: int
    status: str
    message: str
    body: Optional[Fields]


def reply(payload: bytes) -> Reply:
    """Reads a reply. Raises `Malformed` for what is none."""
    fields = parse(payload, ANSWER_BYTES)
    last = fields.flag("last")
    return Reply(
        id=fields.text("id", 128),
        sender=fields.identifier("from"),
        index=fields.whole("index"),
        last=last,
        code=fields.whole("code") if last else 0,
        status=fields.text("status", 64) if last else "",
        message=fields.text_or_none("message", 1024) or "",
        body=fields.object_or_none("body"),
    )


@dataclass(frozen=True)
class Presence:
    """What a device says of itself, or its will says for it."""

    state: str
    epoch: int
    heartbeat_ms: int
    version: str


def presence(payload: bytes) -> Presence:
    fields = parse(payload, WORD_BYTES)
    state = fields.text("state", 16)
    if state not in ("starting", "ready", "draining", "offline", "lost"):
        raise Malformed("state is none of the contract's")
    return Presence(
        state,
        fields.whole("epoch", 1),
        fields.whole("heartbeat_ms", 10, 60000),
        fields.text("version", 64),
    )


@dataclass(frozen=True)
class Heartbeat:
    """A sign of life."""

    epoch: int
    frame: int
    queue: int
    rss_bytes: int
    full: bool
    next_ms: Optional[int]


def heartbeat(payload: bytes) -> Heartbeat:
    fields = parse(payload, WORD_BYTES)
    return Heartbeat(
        fields.whole("epoch", 1),
        fields.whole("frame"),
        fields.whole("queue"),
        fields.whole("rss_bytes"),
        fields.flag_or_none("full") or False,
        fields.whole_or_none("next_ms", 1, 120000),
    )
