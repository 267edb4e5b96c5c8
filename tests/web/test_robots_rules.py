"""What robots.txt says to us (RFC 9309), also where Protego is not the standard."""

from __future__ import annotations

import time
import tracemalloc
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celebcollect.web.robots import MAX_BYTES, parse

OURS = "User-agent: CelebCollect\n"


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        ("", "/x.jpg", True),
        ("User-agent: *\nDisallow:\n", "/x.jpg", True),
        ("User-agent: *\nDisallow: /\n", "/x.jpg", False),
        ("User-agent: *\nDisallow: /\n", "/robots.txt", True),
        ("user-agent: *\ndisallow: /private\n", "/private/x.jpg", False),
        ("User-agent: *\nDisallow: /private/\n", "/private", True),
        ("User-agent: *\nDisallow: /\nAllow: /img/\n", "/img/x.jpg", True),
        ("User-agent: *\nAllow: /img/\nDisallow: /img/\n", "/img/x.jpg", True),
        ("User-agent: *\nAllow: /img\nDisallow: /img/secret\n", "/img/secret/x", False),
        ("User-agent: *\nDisallow: /*.gif$\n", "/a/b.gif", False),
        ("User-agent: *\nDisallow: /*.gif$\n", "/a/b.gif?x", True),
        ("User-agent: *\nDisallow: /a*b*c\n", "/a1b2c3", False),
        ("User-agent: *\nDisallow: /a*b*c\n", "/acb", True),
        ("User-agent: *\nDisallow: /*?size=\n", "/x.jpg?size=1", False),
        ("User-agent: *\nDisallow: /caf%C3%A9\n", "/café", False),
        ("User-agent: *\nDisallow: /café\n", "/caf%c3%a9", False),
        ("User-agent: *\nDisallow: /a%7Eb\n", "/a~b", False),
        ("User-agent: *\nDisallow: /a%2Ab\n", "/a*b", False),
        ("User-agent: otherbot\nDisallow: /\n", "/x.jpg", True),
        (OURS + "Disallow: /x\nUser-agent: *\nDisallow: /\n", "/y.jpg", True),
        ("User-agent: *\nDisallow: /\n" + OURS + "Allow: /\n", "/y.jpg", True),
        (OURS + "User-agent: other\nDisallow: /x\n", "/x", False),
        (
            OURS + "Disallow: /x\nUser-agent: other\nDisallow: /y\n" + OURS + "Disallow: /z\n",
            "/z",
            False,
        ),
        ("User-agent: celebcollect/0.1\nDisallow: /x\n", "/x", False),
        ("User-agent: celebcollector\nDisallow: /x\n", "/x", True),
        (OURS + "\n", "/x", True),
        ("User-agent: *\nCrawl-delay: 5\nDisallow: /x # why not\n", "/x", False),
        ("Disallow: /x\nUser-agent: *\nAllow: /\n", "/x", True),
        ("\ufeffUser-agent: *\nDisallow: /x\n", "/x", False),
        ("User-agent: *\rDisallow: /x\r", "/x", False),
        ("<html>User-agent: nobody</html>", "/x", True),
        ("User-agent: *\nDisallow: \x00\nDisallow: /x\n", "/x", False),
    ],
)
def test_rules_are_read_as_the_standard_says(text: str, path: str, allowed: bool) -> None:
    """Groups, longest match, wildcards, ends, escapes and our own name work as RFC 9309 says."""
    assert parse(text.encode()).allows("http://example.com" + path) is allowed


def test_hostile_rules_take_no_time() -> None:
    """Half a megabyte of wildcards answers quickly, and so do random bytes."""
    pattern = "Disallow: /" + "*a" * 900 + "*b\n"
    rules = parse(("User-agent: *\n" + pattern * 1000).encode())
    begun = time.process_time()

    rules.allows("http://example.com/" + "a" * 8000)

    assert time.process_time() - begun < 2
    assert parse(bytes(range(256)) * 2000).allows("http://example.com/x")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["bot{}", "celebcollect{}", "*{}"])
def test_thousands_of_names_above_thousands_of_rules_take_little_memory(name: str) -> None:
    """The parser keeps each rule once for a few names, not once for each."""
    names = "".join(f"User-agent: {name.format(n)}\n" for n in range(10_000))
    tracemalloc.start()

    rules = parse((names + "User-agent: *\n" + "Disallow: /x\n" * 10_000).encode())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 80_000_000
    assert name != "bot{}" or not rules.allows("http://example.com/x")


@pytest.mark.parametrize(
    ("text", "path", "allowed"),
    [
        # RFC 9309 knows one spelling of each directive; the owner's will is clear all the same.
        ("User-agent *\nDissalow: /x\n", "/x", False),
        # As Google does: whoever allows the index page allows the folder.
        ("User-agent: *\nDisallow: /\nAllow: /a/index.html\n", "/a/", True),
        # RFC 9309, section 2.2.1 leaves out rules for a name that only begins like ours.
        ("User-agent: celeb\nDisallow: /x\n", "/x", True),
        # A version that is not ours addresses another program; the RFC would cut it off.
        ("User-agent: celebcollect/999\nDisallow: /x\n", "/x", True),
        # A `$` at the end of a pattern also stands for itself.
        ("User-agent: *\nDisallow: /x$\n", "/x$", False),
    ],
)
def test_where_protego_is_not_the_standard(text: str, path: str, allowed: bool) -> None:
    """A change of one of these is a change of our behaviour, so a new version must show it."""
    assert parse(text.encode()).allows("http://example.com" + path) is allowed


@settings(deadline=None)
@given(st.text(max_size=200), st.text(max_size=50))
def test_no_text_at_all_breaks_the_parser(text: str, path: str) -> None:
    """Whatever a host sends is rules or none."""
    url = "http://example.com/" + quote(path, safe="/?#&=%*$", errors="replace")

    parse(f"User-agent: *\nDisallow: {text}".encode("utf-8", "replace")).allows(url)


def test_what_follows_after_500_kilobytes_is_left_aside() -> None:
    """The limit of the standard keeps memory small."""
    filler = b"#" * MAX_BYTES + b"\n"

    assert parse(filler + b"User-agent: *\nDisallow: /\n").allows("http://example.com/x")
