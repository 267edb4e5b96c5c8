"""The sides of a data set are stable and keep pages together."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest

from celebcollect.stages.export.split import split_of


def digest(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def test_the_sides_of_known_pictures_never_change() -> None:
    """These are for ever: pictures that move between the sides would spoil every comparison."""
    by_page = [split_of(f"https://pages.example/{number}", digest(number)) for number in range(40)]
    by_digest = [split_of(None, digest(number)) for number in range(40)]

    assert {number: side for number, side in enumerate(by_page) if side != "train"} == {
        3: "test",
        19: "test",
        28: "validation",
    }
    assert [number for number, side in enumerate(by_digest) if side == "validation"] == [
        6,
        14,
        18,
        39,
    ]
    assert [number for number, side in enumerate(by_digest) if side == "test"] == [16, 21, 33, 35]


def test_the_shares_are_as_told() -> None:
    """80, 10 and 10 per cent of the pages, within what chance allows."""
    counts = Counter(
        split_of(f"https://pages.example/{number}", digest(number)) for number in range(20_000)
    )

    assert counts["train"] == pytest.approx(16_000, rel=0.02)
    assert counts["validation"] == pytest.approx(2_000, rel=0.08)
    assert counts["test"] == pytest.approx(2_000, rel=0.08)


def test_pictures_of_one_page_are_on_one_side() -> None:
    """Query, fragment, scheme, port, www and a last slash make no other page; no person does."""
    forms = (
        "https://www.pages.example/a/b",
        "http://pages.example/a/b/",
        "https://PAGES.example./a/b?page=2",
        "https://pages.example:8443/a/b#top",
    )
    sides = {
        split_of(form.replace("/a/b", f"/a/{page}"), digest(number))
        for page in (1,)
        for form in forms
        for number in range(50)
    }

    assert len(sides) == 1
    assert (
        len({split_of(f"https://pages.example/a/{number}", digest(0)) for number in range(50)}) == 3
    )


@pytest.mark.parametrize(
    "page",
    [
        None,
        "",
        "no url",
        "file:///etc/passwd",
        "https://[bad",
        "//",
        "javascript:alert(1)",
        "\ud800",
        "https:///x",
    ],
)
def test_without_a_page_the_picture_decides(page: str | None) -> None:
    """Whatever stands where the page should be, each picture has a side, and not all the same."""
    sides = [split_of(page, digest(number)) for number in range(200)]

    assert sides == [split_of(None, digest(number)) for number in range(200)]
    assert len(set(sides)) == 3
