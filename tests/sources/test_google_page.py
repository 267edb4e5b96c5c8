"""Telling what kind of page Google sent, from plain values."""

from __future__ import annotations

import math

import pytest

from celebcollect.sources.google.page import PageView, State, read, view
from sources.google_web import picture, records_script

RECORDS = records_script([picture(1), picture(2)])


@pytest.mark.parametrize(
    ("page", "state"),
    [
        (
            PageView(url="https://www.google.com/sorry/index?continue=x", scripts=RECORDS),
            State.CAPTCHA,
        ),
        (PageView(url="https://sorry.google.com/x"), State.CAPTCHA),
        (
            PageView(url="https://www.google.com/search", marks=frozenset({"captcha"})),
            State.CAPTCHA,
        ),
        (PageView(url="https://www.google.com/search", http_status=429), State.CAPTCHA),
        (PageView(url="https://www.google.com/search", http_status=403), State.CAPTCHA),
        (
            PageView(
                url="https://www.google.com/search",
                text="Our systems have detected unusual traffic from",
            ),
            State.CAPTCHA,
        ),
        (
            PageView(
                url="https://www.google.com/search",
                text="Nuestros sistemas han detectado tráfico inusual",
            ),
            State.CAPTCHA,
        ),
        (PageView(url="https://consent.google.com/m?continue=x"), State.CONSENT),
        (PageView(url="https://consent.google.de/ml"), State.CONSENT),
        (
            PageView(
                url="https://www.google.com/search", marks=frozenset({"consent"}), scripts=RECORDS
            ),
            State.CONSENT,
        ),
        (PageView(url="https://www.google.com/search", scripts=RECORDS), State.RESULTS),
        (
            PageView(
                url="https://www.google.com/search",
                links=("/imgres?imgurl=https://a.example/1.jpg",),
            ),
            State.RESULTS,
        ),
        (
            PageView(
                url="https://www.google.com/search",
                text="Your search - x - did not match any image results.",
            ),
            State.NO_RESULTS,
        ),
        (
            PageView(url="https://www.google.com/search", marks=frozenset({"recaptcha"})),
            State.CAPTCHA,
        ),
        (
            PageView(
                url="https://www.google.com/search", marks=frozenset({"recaptcha"}), scripts=RECORDS
            ),
            State.RESULTS,
        ),
        (
            PageView(
                url="https://www.google.com/search", text="No results found for x", http_status=404
            ),
            State.UNKNOWN,
        ),
        (
            PageView(
                url="https://www.google.com/search",
                text="It looks like there aren’t any matches for your search",
            ),
            State.NO_RESULTS,
        ),
        (PageView(url="https://www.google.com/search", marks=frozenset({"shell"})), State.JS_SHELL),
        (
            PageView(
                url="https://www.google.com/search",
                marks=frozenset({"shell"}),
                text="x did not match any image results",
            ),
            State.NO_RESULTS,
        ),
        (
            PageView(url="https://www.google.com/search", marks=frozenset({"basic"}), tiles=2),
            State.BASIC,
        ),
        (PageView(url="https://www.google.com/search", tiles=3), State.TILES),
        (
            PageView(
                url="https://www.google.com/search", scripts='x=["https://a.example/1.jpg",600,800]'
            ),
            State.RESULTS,
        ),
        (PageView(url="https://www.google.com/search"), State.UNKNOWN),
        (PageView(url="http://[::1"), State.UNKNOWN),
    ],
)
def test_a_page_is_told_by_address_then_records_then_marks_then_text(
    page: PageView, state: State
) -> None:
    """Each kind of page has its sign, and the stronger sign wins."""
    assert read(page).state is state


def test_words_of_bad_pages_do_not_spoil_a_good_one() -> None:
    """Result pages carry the shell's link and the captcha's words: records decide."""
    page = PageView(
        url="https://www.google.com/search?q=sorry",
        scripts=RECORDS,
        marks=frozenset({"shell"}),
        text="Unusual traffic did not match any documents",
    )

    reading = read(page)

    assert reading.state is State.RESULTS
    assert reading.patience_s == 0
    assert len(reading.found) == 2


def test_an_answered_consent_dialog_does_not_hide_results() -> None:
    """A dialog that stays after the click counts only while there is nothing better."""
    dialog = PageView(url="https://www.google.com/search", marks=frozenset({"consent"}))
    results = PageView(
        url="https://www.google.com/search", marks=frozenset({"consent"}), scripts=RECORDS
    )

    assert read(dialog, consent_answered=True).state is State.CONSENT
    assert read(results, consent_answered=True).state is State.RESULTS


def test_the_less_a_page_shows_the_longer_it_is_waited_for() -> None:
    """
    Certain pages are not waited for.

    A shell or an empty page is, and thumbnails a little once the page is complete.
    """
    waits = [
        read(PageView(url="https://www.google.com/search", **signs)).patience_s
        for signs in (
            {"scripts": RECORDS},
            {"tiles": 1, "complete": True},
            {"tiles": 1, "complete": False},
            {"marks": frozenset({"shell"}), "complete": True},
            {"complete": True},
        )
    ]

    assert waits == [0, 2.0, math.inf, math.inf, math.inf]


@pytest.mark.parametrize(
    "seen",
    [
        None,
        [],
        "x",
        {
            "url": 7,
            "marks": "captcha",
            "scripts": None,
            "links": [1, None],
            "tiles": True,
            "status": "429",
        },
    ],
)
def test_a_page_that_meddles_with_the_script_is_unknown(seen: object) -> None:
    """Whatever comes back from the page, it is read without an error."""
    assert read(view(seen)).state is State.UNKNOWN
