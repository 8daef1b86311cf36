"""How a trainer and the robots of other machines introduce themselves: three small messages.

The trainer's `Announcement` says once a second which run it works in. A robot's `Contact` says that it is there, and
asks for the time; the `ContactAnswer` brings it, or says why the robot is not taken.
"""

import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

import msgspec

from naf_robot.core.errors import CodecError, ConfigError
from naf_robot.core.run_identity import RUN_ID
from naf_robot.experience.envelope import Envelope, decode, encode
from naf_robot.run.agreement import TrainerFacts
from naf_robot.run.robot import check_name

ANNOUNCEMENT, CONTACT, ANSWER = "announcement", "contact", "contact_answer"
MAX_BYTES = 64 * 1024
MAX_TEXT = 400  # characters of a text that is shown


def new_instance() -> str:
    """An identity of this process, which no other has."""
    return secrets.token_hex(8)


def now_us() -> int:
    """This machine's system clock [us]: what people set, and what another machine's is compared with."""
    return time.time_ns() // 1000


@dataclass(frozen=True)
class Announcement:
    """What a trainer says of itself."""

    run_id: str
    instance: str  # of the trainer's process
    host: str
    agreement: dict[str, str] = field(default_factory=dict)  # `agreement_of` its configuration
    facts: TrainerFacts = field(default_factory=TrainerFacts)
    decided: int | None = None  # the outcome of the run, None while it goes on

    @property
    def task(self) -> str:
        """The task that it learns."""
        return self.agreement.get("task_name", "")


@dataclass(frozen=True)
class Contact:
    """What a robot's collector says of itself to the trainer of `run_id`, and when [us, its system clock]."""

    run_id: str
    robot: str
    instance: str
    sent_us: int
    host: str = ""
    offset: str = ""  # what it knows of the trainer's clock, in words


@dataclass(frozen=True)
class ContactAnswer:
    """The answer to the contact of `robot` sent at `sent_us` [its clock]; the other times by the trainer's [us]."""

    run_id: str
    robot: str
    instance: str
    sent_us: int
    received_us: int
    answered_us: int
    refusal: str = ""  # why the robot's experience is not taken


def encode_announcement(message: Announcement) -> bytes:
    """Bytes of an announcement."""
    return encode(
        ANNOUNCEMENT,
        {},
        {
            "run": message.run_id,
            "instance": message.instance,
            "host": message.host,
            "agreement": json.dumps(message.agreement),
            "facts": json.dumps(msgspec.to_builtins(message.facts)),
            "decided": "" if message.decided is None else message.decided,
        },
    )


def decode_announcement(data: bytes) -> Announcement:
    """Read an announcement, of whatever run.

    Raises:
        CodecError: malformed.
    """
    envelope = decode(data, ANNOUNCEMENT, MAX_BYTES)
    agreement = _json(envelope, "agreement")
    if not all(isinstance(key, str) and isinstance(value, str) for key, value in agreement.items()):
        raise CodecError("announcement message: 'agreement' must map names to texts")
    try:
        facts = msgspec.convert(_json(envelope, "facts"), TrainerFacts)
    except (msgspec.ValidationError, ConfigError) as error:
        raise CodecError(f"announcement message: facts: {error}") from None
    decided = None if not envelope.text("decided") else envelope.integer("decided")
    return Announcement(_run(envelope), _word(envelope, "instance"), _word(envelope, "host"), agreement, facts, decided)


def encode_contact(message: Contact) -> bytes:
    """Bytes of a contact."""
    return _encode(CONTACT, message)


def decode_contact(data: bytes) -> Contact:
    """Read a contact, with whatever run.

    Raises:
        CodecError: malformed, or the robot's name is none.
    """
    envelope = decode(data, CONTACT, MAX_BYTES)
    return Contact(
        _run(envelope),
        _robot(envelope),
        _word(envelope, "instance"),
        envelope.integer("sent_us"),
        _word(envelope, "host"),
        _word(envelope, "offset"),
    )


def encode_answer(message: ContactAnswer) -> bytes:
    """Bytes of an answer."""
    return _encode(ANSWER, message)


def decode_answer(data: bytes) -> ContactAnswer:
    """Read an answer, with whatever run.

    Raises:
        CodecError: malformed.
    """
    envelope = decode(data, ANSWER, MAX_BYTES)
    return ContactAnswer(
        _run(envelope),
        _robot(envelope),
        _word(envelope, "instance"),
        envelope.integer("sent_us"),
        envelope.integer("received_us"),
        envelope.integer("answered_us"),
        _word(envelope, "refusal"),
    )


def _encode(kind: str, message: Contact | ContactAnswer) -> bytes:
    values = {("run" if name == "run_id" else name): value for name, value in vars(message).items()}
    return encode(kind, {}, values)


def _json(envelope: Envelope, key: str) -> dict[str, Any]:
    try:
        value = json.loads(envelope.text(key))
    except (ValueError, RecursionError) as error:
        raise CodecError(f"{envelope.kind} message: {key!r} is no JSON: {error}") from None
    if not isinstance(value, dict):
        raise CodecError(f"{envelope.kind} message: {key!r} must be a JSON object")
    return value


def _run(envelope: Envelope) -> str:
    text = envelope.text("run")
    if not RUN_ID.fullmatch(text):
        raise CodecError(f"{envelope.kind} message: 'run' must be the identity of a run, got {text[:40]!r}")
    return text


def _robot(envelope: Envelope) -> str:
    try:
        return check_name(envelope.text("robot"))
    except ConfigError as error:
        raise CodecError(f"{envelope.kind} message: {str(error)[:MAX_TEXT]}") from None


def _word(envelope: Envelope, key: str) -> str:
    """A text on one line, as long as may be shown."""
    return " ".join(envelope.text(key).split())[:MAX_TEXT]
