"""`web.retry_after` and `web.plain_text`: small readers of what servers send."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celebcollect.web.plain_text import plain_text
from celebcollect.web.retry_after import retry_after_s


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 1),
        ("1", 1),
        ("7", 7),
        (" 120 ", 120),
        ("999999999", 86_400),
        ("9" * 30, 86_400),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_seconds(value: str | None, seconds: float | None) -> None:
    """Whole seconds are taken, 0 as 1, anything else is no wish."""
    assert retry_after_s(value) == seconds


def test_date() -> None:
    """A date is taken as the time until then, a past one as 1 s."""
    now = datetime.now(UTC)

    assert retry_after_s(
        format_datetime(now + timedelta(seconds=90), usegmt=True)
    ) == pytest.approx(90, abs=2)
    assert retry_after_s(format_datetime(now - timedelta(days=9), usegmt=True)) == 1


@pytest.mark.slow
@settings(deadline=None)
@given(
    st.text()
    | st.from_regex(
        r"\A[A-Z][a-z]{2}, \d{1,20} (Jan|Dec) \d{1,30} \d\d:\d\d:\d\d (GMT|[+-]\d{1,20})\Z"
    )
)
def test_no_header_crashes(value: str) -> None:
    """Whatever the header holds, the answer is a number from 1 to a day or nothing."""
    seconds = retry_after_s(value)

    assert seconds is None or 1 <= seconds <= 86_400


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("Jane Doe", "Jane Doe"),
        ('<a href="//x/">Jane <b>D</b>oe</a>', "Jane Doe"),
        ("<ul><li>A</li><li>B</li></ul>", "A B"),
        ("A<br>B<br/>C", "A B C"),
        ("&lt;b&gt; &amp;amp; &#201;", "<b> &amp; É"),
        ("<style>p{}</style>A<script>alert(1)</script>B", "AB"),
        ('<span style="Display : none">unseen <i>both</i></span>seen', "seen"),
        ("一&#x202e;二\x00\n三", "一二 三"),
        ("<<b", "<<b"),
        ("", ""),
    ],
)
def test_plain_text(html: str, text: str) -> None:
    """Markup goes, what a reader sees stays, on one printable line."""
    assert plain_text(html) == text


@given(st.text(alphabet=st.sampled_from("<>![]-/?=&;#\"' abPscript"), max_size=80))
def test_no_markup_crashes(html: str) -> None:
    """Broken markup ends in some text, never in an exception."""
    assert isinstance(plain_text(html), str)


def test_endless_markup_is_cut() -> None:
    """A megabyte of opening brackets is read in no time."""
    assert len(plain_text("<!" * 500_000)) <= 20_000
