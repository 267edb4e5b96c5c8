"""What the Google source does on a page with a real Chromium.

Scrolling, clicking, names.
"""

from __future__ import annotations

import html
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

pytestmark = pytest.mark.browser

CHUNKS = ("SYNTHETIC_xhr_chunk_double_encoded.txt", "SYNTHETIC_xhr_chunk_html_with_string.txt")


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
