"""What the Google source does on a page with a real Chromium.

Consent, scrolling, clicking, names, memory, manners.
"""

from __future__ import annotations

import base64
import html
import time
from itertools import pairwise
from pathlib import Path

import pytest

from celebcollect.domain.errors import SourceBlocked
from celebcollect.sources.base import PersonNotSearched
from sources.google_steps import MakeScraper, urls
from sources.google_web import (
    GoogleWeb,
    Page,
    picture,
    records_script,
    result_page,
    scrolling,
    tiles,
)
from support import eventually

pytestmark = pytest.mark.browser

CHUNKS = ("SYNTHETIC_xhr_chunk_double_encoded.txt", "SYNTHETIC_xhr_chunk_html_with_string.txt")


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


def test_scrolling_brings_more(
    scraper: MakeScraper, google_web: GoogleWeb, shared_data: Path
) -> None:
    """
    When more are wanted than the page holds, the answers to its own requests are read.

    The page makes them by fetch and by XMLHttpRequest.
    """
    answers = [
        (shared_data / "google" / CHUNKS[0]).read_text(),
        f"[{records_script([picture(n) for n in range(50, 60)])!r}]",
    ]
    answers.append((shared_data / "google" / CHUNKS[1]).read_text())
    page = Page(
        (shared_data / "google" / "SYNTHETIC_udm2_2026.html")
        .read_bytes()
        .replace(b"</body>", scrolling(answers).encode() + b"</body>")
    )
    google_web.default = page
    google_web.paths["/chunk"] = lambda parameters: Page(answers[int(parameters["n"])])
    google = scraper()

    few, more, all_ = (
        google.find("Cats", limit=8),
        google.find("Cats", limit=10),
        google.find("Cats", limit=100),
    )

    assert len(few) == 8
    assert urls(more)[:8] == urls(few)
    assert len(more) == 10
    # the second chunk of the captured data repeats the first one's pictures
    assert len(all_) == 8 + 4 + 10
    assert [candidate.rank for candidate in all_] == list(range(22))
    assert all(candidate.page_title and candidate.page_url and candidate.site for candidate in all_)
    assert urls(google.find("Cats", limit=1000)) == urls(all_)
    # the first answer served the first limit only, the last one is all there is
    assert len(google_web.searches) == 3


def test_what_a_page_loads_at_once_counts(scraper: MakeScraper, google_web: GoogleWeb) -> None:
    """Records that come by the page's own request, before anybody scrolls, are results."""
    google_web.default = Page("<!doctype html><body><script>fetch('/chunk?n=0')</script></body>")
    google_web.paths["/chunk"] = Page(records_script([picture(n) for n in range(5)]))

    assert len(scraper().find("Ada")) == 5


def test_a_refusal_while_scrolling_is_a_captcha(
    scraper: MakeScraper, google_web: GoogleWeb
) -> None:
    """
    When Google says no in the middle, the source stops and rests.

    The person is not taken for done.
    """
    google_web.default = result_page([picture(n) for n in range(3)], scrolling(["x"]))
    google_web.paths["/chunk"] = Page("no", status=429)
    google = scraper()

    with pytest.raises(SourceBlocked, match="captcha"):
        google.find("Ada", limit=10)

    assert len(google.find("Ada", limit=3)) == 3
    assert len(google_web.searches) == 1


def test_clicking_is_the_last_resort(scraper: MakeScraper, google_web: GoogleWeb) -> None:
    """
    Tiles without records are clicked.

    A link that names the original, or the panel's picture once it is no thumbnail.
    """
    shown = [(f"https://site.example/page/{n}", f"Title {n}") for n in range(4)]
    opens = """
      if (n === 0) {
        const a = document.createElement('a');
        a.href = '/imgres?imgurl=https://o.example/0.jpg&w=80&h=60';
        tile.append(a);
        return;
      }
      if (n === 2) return;
      panel.innerHTML = '<img jsname="kn3ccd" width=50 height=50 '
        + 'src="https://encrypted-tbn0.gstatic.com/images?q=' + n + '">';
      setTimeout(() => { panel.firstChild.src = 'https://o.example/' + n + '.jpg'; }, 300);
    """
    google_web.default = Page(tiles(shown, opens))

    found = scraper().find("Ada", limit=10)

    assert urls(found) == [f"https://o.example/{n}.jpg" for n in (0, 1, 3)]
    assert [candidate.page_title for candidate in found] == ["Title 0", "Title 1", "Title 3"]
    assert (found[0].width_px, found[0].height_px, found[1].page_url) == (
        80,
        60,
        "https://site.example/page/1",
    )


def test_clicking_gives_up_soon(
    scraper: MakeScraper, google_web: GoogleWeb, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tiles that show nothing when they are clicked are an unknown page, after three of them."""
    monkeypatch.setattr("celebcollect.sources.google.look.CLICK_WAIT_S", 0.3)
    google_web.default = Page(tiles([("https://site.example/", "x")] * 30, "fetch('/clicked')"))

    with pytest.raises(PersonNotSearched, match="tiles"):
        scraper(page_wait_s=1).find("Ada")

    assert [asked.path for asked in google_web.asked].count("/clicked") == 3


NAMES = (
    'Dwayne "The Rock" Johnson',
    "Robert Downey, Jr.",
    "Conan O'Brien",
    "محمد صلاح",
    "宮崎 駿",
    "cats AND OR site:evil.example",
    "<b>&'",
)


def test_every_name_is_searched_and_found(scraper: MakeScraper, google_web: GoogleWeb) -> None:
    """
    Names reach the server as words, and their results come back.

    They have quotes, commas, other scripts, markup and operators.
    """

    def answer(parameters: dict[str, str]) -> Page:
        title = html.escape(parameters["q"])
        return result_page(
            [picture(n, title=parameters["q"]) for n in range(2)], f"<h1>{title}</h1>"
        )

    google_web.default = answer
    google = scraper()

    titles = [
        google.find(name, limit=2, qid=f"Q{number + 1}")[0].page_title
        for number, name in enumerate(NAMES)
    ]

    assert titles == ["Dwayne The Rock Johnson", *NAMES[1:5], "cats and or site evil.example", "b"]
    assert len({asked.headers["User-Agent"] for asked in google_web.searches}) == 1


def test_the_browser_hides_nothing_and_loads_no_pictures(
    scraper: MakeScraper, google_web: GoogleWeb
) -> None:
    """
    It says that it is headless and driven.

    It fetches no picture, no favicon of others, and reaches no other host.
    """
    elsewhere = google_web.base.replace("127.0.0.1", "localhost")
    records = base64.b64encode(
        records_script([picture(n, title="DRIVEN") for n in range(5)]).encode()
    ).decode()
    # The records come when everything else of the page is loaded, or has failed to.
    last = (
        "const s = document.createElement('script'); s.textContent ="
        f" atob('{records}').replaceAll('DRIVEN', navigator.webdriver); body.append(s);"
    )
    page = (
        "<body id=body><img src='/picture.jpg'><script"
        f" src='{elsewhere}/elsewhere.js'></script><script>onload = () => {{ {last} }}</script>"
    )
    google_web.default = Page(page)

    found = scraper().find("Ada")

    assert [candidate.page_title for candidate in found] == ["true"] * 5
    assert "HeadlessChrome" in google_web.searches[0].headers["User-Agent"]
    assert {asked.path for asked in google_web.asked} <= {"/search", "/favicon.ico"}


def test_a_rerun_asks_nothing(own_scraper: MakeScraper, google_web: GoogleWeb) -> None:
    """
    Answers are remembered on disk.

    The same candidates come again without a request and without a browser.
    """
    google_web.default = result_page([picture(n) for n in range(30)])
    with own_scraper() as google:
        first = google.find("Ada", limit=20)
    asked = len(google_web.asked)
    again = own_scraper()

    assert again.find("Ada", limit=20) == first
    assert len(again.find("Ada", limit=30)) == 30
    assert len(google_web.asked) == asked
    assert again.processes() == []


def test_further_templates_fill_what_the_first_leaves_open(
    scraper: MakeScraper, google_web: GoogleWeb
) -> None:
    """The second query is asked only while pictures are missing, and brings no picture twice."""
    google_web.pages["Ada"] = result_page([picture(n) for n in range(3)])
    google_web.pages['"Ada" portrait'] = result_page([picture(n) for n in range(2, 9)])
    google = scraper(query_templates=("{name}", '"{name}" portrait'))

    assert len(google.find("Ada", limit=3)) == 3
    assert len(google_web.searches) == 1
    found = google.find("Ada", limit=6)

    assert urls(found) == [f"https://pictures.example/{n}.jpg" for n in range(6)]
    assert [candidate.rank for candidate in found] == list(range(6))


def test_a_query_that_repeats_another_is_read_further(
    scraper: MakeScraper, google_web: GoogleWeb
) -> None:
    """Pictures that were shown already make nobody look done while another query has more."""
    google_web.pages["Ada"] = result_page([picture(n) for n in range(3)])
    google_web.pages["Ada portrait"] = result_page([picture(n) for n in range(3)], scrolling(["x"]))
    google_web.paths["/chunk"] = Page(records_script([picture(n) for n in range(3, 9)]))

    found = scraper(query_templates=("{name}", "{name} portrait")).find("Ada", limit=6)

    assert urls(found) == [f"https://pictures.example/{n}.jpg" for n in range(6)]


def test_queries_keep_their_distance(scraper: MakeScraper, google_web: GoogleWeb) -> None:
    """
    The server never sees two queries closer than the interval.

    Nor is more waited for than the interval and the 4 % that are drawn at random on top: how long
    the machine takes for the rest is not the pace's doing.
    """
    google_web.default = result_page([picture(n) for n in range(5)])
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        time.sleep(seconds)

    google = scraper(min_interval_s=2, wait=wait)

    for number in range(4):
        waits.append(0)
        google.find("Ada", qid=f"Q{number + 1}")

    times = [asked.at for asked in google_web.searches]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert len(gaps) == 3
    assert min(gaps) >= 2
    for turn in turns(waits)[1:]:
        # A timer that rings early is waited for again, which adds nothing.
        assert 0 < turn[0] <= 2 * 1.04
        assert sum(turn) <= 2 * 1.04 + 0.1


def turns(waits: list[float]) -> list[list[float]]:
    """Split what was waited for at the zeros that begin each search."""
    parts: list[list[float]] = []
    for seconds in waits:
        if seconds == 0:
            parts.append([])
        else:
            parts[-1].append(seconds)
    return parts


def test_work_that_is_to_end_asks_nothing_more(scraper: MakeScraper, google_web: GoogleWeb) -> None:
    """
    A wait that is cut short ends the search.

    There is no query, no error and no answer to remember.
    """
    google_web.default = result_page([picture(n) for n in range(5)])
    google = scraper(min_interval_s=60, wait=lambda _: True)
    google.find("Ada")

    assert google.find("Bob", qid="Q2") == []
    assert len(google_web.searches) == 1
    assert len(list((google.folder / "cache" / "google").iterdir())) == 1
