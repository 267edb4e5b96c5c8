"""Whose wish against machine learning is heeded."""

from __future__ import annotations

import pytest

from celebcollect.web.opt_out import opted_out


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["noai"], True),
        (["noimageai"], True),
        (["noindex, NoAI"], True),
        (["noindex", "noimageai, nofollow"], True),
        (["celebcollect: noai"], True),
        (["CelebCollect: noindex, noai"], True),
        (["*: noai"], True),
        (["unavailable_after: 25 Jun 2030 15:00:00 PST, noai"], True),
        (["max-image-preview: large, noimageai"], True),
        (["otherbot: noai"], False),
        (["otherbot: noindex, noai"], False),
        (["otherbot: noindex, celebcollect: noai"], True),
        (["noindex, nofollow"], False),
        (["noaitraining"], False),
        ([""], False),
        ([], False),
    ],
)
def test_an_opt_out_is_understood(lines: list[str], expected: bool) -> None:
    """Directives for everybody and for us count, those for others do not."""
    assert opted_out(lines) is expected
