"""Dead letters keep an undecodable message as it was, whatever is in it."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from celebcollect.bus import dead
from celebcollect.bus.base import Message, decode_key, encode_key

keys = (
    st.none()
    | st.text()
    | st.binary(max_size=40)
    | st.sampled_from(["\x00" * 5000, b"\xff" * 5000])
)
values = (
    st.none()
    | st.binary()
    | st.text().map(str.encode)
    | st.sampled_from([b"\x00" * 50_000, b"\xff" * 50_000, "\U0001f600".encode() * 3000])
)


def read_message(raw_key: bytes | None, value: bytes | None, *, offset: int = 7) -> Message:
    """A message as a backend hands it out."""
    key, odd_key = decode_key(raw_key)
    return Message("urls", 3, offset, key, value, 0, odd_key)


def wrapped(message: Message, error: str) -> tuple[str | None, bytes]:
    """Return the letter's key and its bytes."""
    key, letter = dead.encode(message, error)
    assert letter is not None
    return key, letter


@pytest.mark.slow
@given(key=keys, value=values, error=st.text(alphabet=st.characters(), max_size=2000))
def test_the_raw_bytes_survive(key: str | bytes | None, value: bytes | None, error: str) -> None:
    """
    Key, value and coordinates come back byte for byte.

    So they do when the error's text holds half a surrogate pair.
    """
    message = read_message(encode_key(key) if isinstance(key, str | None) else key, value)

    letter_key, letter = wrapped(message, error)

    found = dead.decode(letter)
    assert (found.topic, found.partition, found.offset) == ("urls", 3, 7)
    assert (found.key, found.value) == (message.key, value)
    assert letter_key == message.key


@given(key=st.binary(max_size=3000), value=values)
def test_the_size_of_a_letter_is_bounded(key: bytes, value: bytes | None) -> None:
    """No content makes a letter outgrow its topic's limit, a multiple of the topic's own."""
    message = read_message(key, value)

    letter_key, letter = wrapped(message, "x" * 5000)

    size = len(key) + len(value or b"")
    assert len(encode_key(letter_key) or b"") + len(letter) <= size * 8 / 3 + 20_000


@given(key=st.binary(max_size=3000))
def test_the_bytes_of_every_key_are_kept(key: bytes) -> None:
    """A key that is no text is in the letter too."""
    message = read_message(key, None)

    letter = json.loads(wrapped(message, "")[1])

    kept = (
        base64.b64decode(letter["key_base64"]) if "key_base64" in letter else letter["key"].encode()
    )
    assert kept == key


def test_a_short_text_can_be_read_without_decoding() -> None:
    """A person who looks at a letter sees what came and why it was refused."""
    letter = json.loads(wrapped(read_message(b"Q1", b'{"qid": '), "no JSON")[1])

    assert (letter["key"], letter["value_text"], letter["error"]) == ("Q1", '{"qid": ', "no JSON")


@given(st.binary())
def test_foreign_bytes_are_no_letter(value: bytes) -> None:
    """What somebody else put on a dead topic is told apart, never half understood."""
    with pytest.raises(ValueError, match="no dead letter"):
        dead.decode(value)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("key", "5"),
        ("key", '["Q1"]'),
        ("key_base64", '"*"'),
        ("value_base64", "5"),
        ("value_base64", '"*"'),
        ("partition", "Infinity"),
        ("offset", "null"),
        ("offset", '"x"'),
        pytest.param("offset", "9" * 5000, id="offset-too many digits"),
        pytest.param("error", "[" * 100_000, id="error-too deep"),
    ],
)
def test_a_forged_letter_is_no_letter(name: str, written: str) -> None:
    """A letter with a field of the wrong kind is refused as a whole."""
    letter = json.loads(wrapped(read_message(b"Q1", b"x"), "")[1]) | {name: "?"}
    forged = json.dumps(letter).replace('"?"', written)

    with pytest.raises(ValueError, match="no dead letter"):
        dead.decode(forged.encode())


def test_the_dead_topic_of_a_dead_topic_is_itself() -> None:
    """Garbage on a dead topic does not make an endless chain of topics."""
    assert dead.dead_topic("urls") == "urls.dead"
    assert dead.dead_topic("urls.dead") == "urls.dead"
