"""What the Google source does with questions of consent, in a real Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest

from celebcollect.sources.base import PersonNotSearched
from sources.google_steps import MakeScraper
from sources.google_web import (
    GoogleWeb,
    Page,
    picture,
    result_page,
)
from support import eventually

pytestmark = pytest.mark.browser


def consent_page(buttons: str) -> str:
    return (
        '<!doctype html><body><div role="dialog"><h1>Bevor Sie zu Google'
        f" weitergehen</h1>{buttons}</div></body>"
    )


@pytest.mark.parametrize(
    "buttons",
    [
        (
            '<button id="L2AGLb" onclick="go(1)">Alle akzeptieren</button><button id="W0wltc"'
            ' onclick="go(0)">Alle ablehnen</button>'
        ),
        (
            '<button id="L2AGLb" onclick="go(1)">Accepter</button><div role="button"'
            ' onclick="go(0)"> Tout refuser </div>'
        ),
        (
            '<button onclick="go(1)"><div>Tümünü kabul et</div></button><button'
            ' onclick="go(0)"><div>Tümünü\xa0reddet</div></button>'
        ),
        (
            '<form action="/save"><input type="hidden" name="yes" value="0"><input type="submit"'
            ' value="?"></form><form action="/save"><input type="hidden" name="yes"'
            ' value="1"><input type="submit" value="?"></form>'
        ),
        (
            '<form action="/other"><input type="hidden" name="set_eom" value="true"><input'
            ' name="yes" value="0"><button aria-label="?">?</button></form><form'
            ' action="/other"><input type="hidden" name="set_eom" value="false"><input name="yes"'
            ' value="1"><button>?</button></form>'
        ),
        (
            '<form action="/consent.google.com/save"><input type="hidden" name="yes"'
            ' value="0"><button>?</button></form><form action="/consent.google.com/save"><input'
            ' type="hidden" name="yes" value="1"><button>?</button></form>'
        ),
    ],
    ids=[
        "by id",
        "by label",
        "by label without anything else",
        "by its target",
        "by its fields",
        "by its host",
    ],
)
def test_consent_is_refused(scraper: MakeScraper, google_web: GoogleWeb, buttons: str) -> None:
    """Whatever the dialog looks like, "reject all" is pressed, and then results are read."""
    go = (
        "<script>function go(yes) { location.href = '/consent.google.com/save?yes=' + yes;"
        " }</script>"
    )
    google_web.default = Page(consent_page(buttons + go))
    done = Page(status=303, location="/search?q=answered")
    google_web.paths = dict.fromkeys(("/consent.google.com/save", "/save", "/other"), done)
    google_web.pages["answered"] = result_page([picture(n) for n in range(5)])

    found = scraper().find("Ada")

    assert len(found) == 5
    assert [
        asked.parameters["yes"] for asked in google_web.asked if asked.path in google_web.paths
    ] == ["0"]


def test_a_dialog_over_results_is_closed_first(scraper: MakeScraper, google_web: GoogleWeb) -> None:
    """
    A dialog that merely lies above the results is answered once.

    Another element may cover its button.
    """
    cover = '<div style="position:fixed;inset:0;z-index:9"></div>'
    press = "fetch('/refused'); d.remove()"
    dialog = f'<div id=d><button id="W0wltc" onclick="{press}">Reject all</button></div>{cover}'
    google_web.default = result_page([picture(n) for n in range(5)], dialog)

    assert len(scraper().find("Ada")) == 5
    # The page's own request may arrive after its records were read.
    assert eventually(lambda: any(asked.path == "/refused" for asked in google_web.asked))
    assert [asked.path for asked in google_web.asked].count("/refused") == 1


def test_a_dialog_that_does_not_go_away_is_an_unknown_page(
    scraper: MakeScraper, google_web: GoogleWeb, shared_data: Path
) -> None:
    """
    The real dialog without its scripts cannot be answered.

    No candidate, and the page is kept.
    """
    google_web.default = Page((shared_data / "google" / "consent_dialog_de.html").read_bytes())

    with pytest.raises(PersonNotSearched, match="consent"):
        scraper(page_wait_s=0.5).find("Ada")
