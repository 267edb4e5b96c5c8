"""`topics publish`: lines as other programs write them."""

from __future__ import annotations

import json

import pytest

from cli.cli_process import Run

pytestmark = pytest.mark.slow

GOOD = {"schema": 1, "qid": "Q42", "name": "Douglas Adams", "source": "mine"}


def line(url: str, **more: object) -> bytes:
    """Return a candidate as a line."""
    return json.dumps({**GOOD, "url": url, **more}).encode() + b"\n"


def test_a_byte_order_mark_is_no_part_of_a_line(run: Run) -> None:
    """PowerShell writes one at the start of a file, and joined files have one further on."""
    mark = b"\xef\xbb\xbf"
    text = mark + line("https://a.org/1.jpg") + b"\r\n  \n" + mark + line("https://a.org/2.jpg")

    done = run("topics", "publish", "urls", stdin=text)

    assert (done.returncode, done.stdout) == (0, "published 2 messages on urls\n")
    assert json.loads(run("validate", "--json").stdout)["counts"] == {"verified": 2}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
def test_wide_text_is_told_and_nothing_is_published(run: Run, encoding: str) -> None:
    """Line by line it would be garbage."""
    text = line("https://a.org/1.jpg").decode().encode(encoding)

    done = run("topics", "publish", "urls", stdin=text)

    assert done.returncode == 2
    assert "UTF-16 or UTF-32" in done.stderr
    assert len(done.stderr.splitlines()) == 2
    assert run("topics", "peek", "urls").stdout == ""


def test_lines_that_are_no_candidate_are_refused_with_their_number(run: Run) -> None:
    """Those around them are published; `--raw` publishes all."""
    odd = [
        b"not json\n",
        line("https://a.org/1.jpg"),
        line("https://a.org/nan.jpg").replace(b"}", b', "width_px": NaN}'),
        line("https://a.org/lower.jpg", qid="q42"),
        line("https://a.org/2.jpg").strip() + line("https://a.org/3.jpg"),
        b"[" + line("https://a.org/4.jpg").strip() + b"]\n",
        line("https://a.org/5.jpg", schema="1"),
        line("https://a.org/6.jpg"),
    ]

    done = run("topics", "publish", "urls", stdin=b"".join(odd))

    assert done.returncode == 2
    assert done.stdout == "published 2 messages on urls\n"
    told = [text.split(": ")[1] for text in done.stderr.splitlines()[:-2]]
    assert told == [f"line {number}" for number in (1, 3, 4, 5, 6, 7)]
    assert "refused 6 lines" in done.stderr
    raw = run("topics", "publish", "urls", "--raw", stdin=b"".join(odd))
    assert (raw.returncode, raw.stdout) == (0, "published 8 messages on urls\n")
