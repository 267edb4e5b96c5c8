"""Every kind of page that Google sends, played to a real Chromium."""

from __future__ import annotations

from pathlib import Path

import pytest

from celebcollect.domain.errors import SourceBlocked, SourceError
from celebcollect.sources.base import PersonNotSearched
from sources.google_steps import MakeScraper, urls
from sources.google_web import GoogleWeb, Page, picture, records_script, result_page

pytestmark = pytest.mark.browser


def captured(shared_data: Path, name: str) -> Page:
    return Page((shared_data / "google" / name).read_bytes())


def test_the_real_page_of_2020_becomes_twelve_candidates(
    scraper: MakeScraper, google_web: GoogleWeb, shared_data: Path
) -> None:
    """All 12 pictures come with page, title, site, size and rank."""
    google_web.default = captured(shared_data, "gis_2020_ds1_12_records_raw.html")
    google = scraper()

    found = google.find("Cats", limit=12)

    assert [candidate.rank for candidate in found] == list(range(12))
    assert all(
        candidate.page_url and candidate.page_title and candidate.site and candidate.found_at
        for candidate in found
    )
    assert (found[0].width_px, found[0].height_px) == (1200, 800)
    assert {(candidate.qid, candidate.name, candidate.source) for candidate in found} == {
        ("Q1", "Cats", "google")
    }
    assert len(google_web.searches) == 1


@pytest.mark.parametrize(
    ("name", "number", "first"),
    [
        ("gis_2015_imgres_3_tiles.html", 3, "http://animalia-life.com/data_images/cat/cat2.jpg"),
        ("SYNTHETIC_udm2_2026.html", 8, "https://cdn.vox-cdn.com/thumbor/"),
    ],
)
def test_pages_of_other_years_are_read(
    scraper: MakeScraper,
    google_web: GoogleWeb,
    shared_data: Path,
    name: str,
    number: int,
    first: str,
) -> None:
    """Links of 2015 and records of 2026 give the same kind of candidates."""
    google_web.default = captured(shared_data, name)

    found = scraper().find("Cats", limit=number)

    assert len(found) == number
    assert found[0].url.startswith(first)
    assert all(candidate.page_url for candidate in found)


@pytest.mark.parametrize("name", ["sorry_captcha_en.html", "sorry_captcha_es_lowercased.html"])
def test_a_captcha_ends_the_search_at_once(
    own_scraper: MakeScraper, google_web: GoogleWeb, shared_data: Path, name: str
) -> None:
    """
    No candidate, no further request, and the time when Google may be asked again.

    Also for the next run.
    """
    google_web.default = Page(status=302, location="/sorry/index?continue=x")
    google_web.paths["/sorry/index"] = Page(captured(shared_data, name).body, status=429)
    google = own_scraper()

    with pytest.raises(SourceBlocked, match="captcha") as blocked:
        google.find("Ada")
    with pytest.raises(SourceBlocked):
        google.find("Bob", qid="Q2")
    with pytest.raises(SourceBlocked) as later:
        own_scraper(notes=google.notes).find("Cem", qid="Q3")

    assert blocked.value.until == later.value.until is not None
    assert len(google_web.searches) == 1
    assert google.processes() == []


def test_what_is_remembered_is_given_while_google_rests(
    scraper: MakeScraper, google_web: GoogleWeb, shared_data: Path
) -> None:
    """A captcha does not take away what was found before it; success ends the doubling of rests."""
    google_web.pages["Ada"] = result_page([picture(n) for n in range(5)])
    google_web.default = captured(shared_data, "sorry_captcha_en.html")
    google = scraper()
    before = google.find("Ada")

    with pytest.raises(SourceBlocked):
        google.find("Bob", qid="Q2")

    assert google.find("Ada") == before
    google.notes.set_note("google_rest", {"until": "2020-01-01T00:00:00+00:00", "seconds": 7200})
    google_web.default = result_page([picture(n) for n in range(5)])
    google.find("Bob", qid="Q2")
    assert google.notes.note("google_rest") is None


def test_a_shell_that_stays_is_a_refusal(
    scraper: MakeScraper, google_web: GoogleWeb, shared_data: Path
) -> None:
    """The page that checks the browser is waited for, then told in words."""
    google_web.default = captured(shared_data, "enablejs_shell_trimmed.html")

    with pytest.raises(SourceBlocked, match="checks the browser"):
        scraper(page_wait_s=1).find("Ada")

    assert len(google_web.searches) == 1


def test_a_shell_that_goes_away_is_waited_for(
    scraper: MakeScraper, google_web: GoogleWeb, shared_data: Path
) -> None:
    """When the page lets the browser through, its results are taken."""
    shell = captured(shared_data, "enablejs_shell_trimmed.html").body
    assert isinstance(shell, bytes)
    reload = b"<script>setTimeout(() => location.replace('/search?q=passed'), 700)</script>"
    google_web.default = Page(shell.replace(b"</body>", reload + b"</body>"))
    google_web.pages["passed"] = result_page([picture(n) for n in range(5)])

    assert len(scraper().find("Ada")) == 5


def test_results_that_scripts_bring_late_are_waited_for(
    scraper: MakeScraper, google_web: GoogleWeb
) -> None:
    """Records may come into the document some time after it was loaded."""
    records = records_script([picture(n) for n in range(5)])
    late = (
        "setTimeout(() => { const s = document.createElement('script'); s.textContent ="
        f" {records!r}; document.body.append(s); }}, 700)"
    )
    google_web.default = Page(f"<!doctype html><body><p>Please wait<script>{late}</script></body>")

    assert len(scraper().find("Ada")) == 5


def test_the_page_without_javascript_is_no_result_page(
    scraper: MakeScraper, google_web: GoogleWeb, shared_data: Path
) -> None:
    """Its thumbnails are not taken for pictures: it is an error that says what happened."""
    google_web.default = captured(shared_data, "basic_xhtml_tbm_isch_20_thumbs.html")

    with pytest.raises(SourceError, match="thumbnails only") as error:
        scraper(page_wait_s=1).find("Ada")

    assert not isinstance(error.value, PersonNotSearched | SourceBlocked)


def test_no_results_are_counted_and_remembered(scraper: MakeScraper, google_web: GoogleWeb) -> None:
    """A person whom nobody has pictures of costs one quick query, once."""
    google_web.default = Page(
        "<!doctype html><body><p>Your search - <b>Ada</b> - did not match any image"
        " results.</p></body>"
    )
    google = scraper()

    assert google.find("Ada") == google.find("Ada") == []
    assert google.tally.reasons == {"google_no_results": 1}
    assert len(google_web.searches) == 1


def test_pages_of_google_alone_become_no_candidates(
    scraper: MakeScraper, google_web: GoogleWeb
) -> None:
    """Pictures on Google's own hosts are counted, never handed on."""
    pictures = [
        picture(1),
        picture(2, url="https://www.google.com/logo.png"),
        picture(3, url="https://encrypted-tbn0.gstatic.com/images?q=x"),
    ]
    google_web.default = result_page(pictures)
    google = scraper()

    assert urls(google.find("Ada", limit=1)) == ["https://pictures.example/1.jpg"]
    assert google.tally.reasons == {"google_not_original": 2}


def test_an_unknown_page_is_kept_and_named(scraper: MakeScraper, google_web: GoogleWeb) -> None:
    """
    For one person it is an error of this person.

    HTML and a screenshot are kept, under names that no page decides.
    """
    google_web.pages["../../evil"] = google_web.default = Page(
        "<!doctype html><title>../../x</title><h1>Something new</h1>"
    )
    google = scraper(page_wait_s=0.5)

    with pytest.raises(PersonNotSearched) as error:
        google.find("../../evil")

    (html, png) = sorted((google.folder / "pages").iterdir())
    assert str(html) in error.value.message
    assert html.name.endswith("-unknown-Q1.html")
    assert "Something new" in html.read_text()
    assert png.read_bytes().startswith(b"\x89PNG")
    assert google.tally.reasons == {"google_unknown_page": 1}
    assert not (google.folder / "cache").exists()


def test_three_unknown_pages_in_a_row_are_an_error_for_everybody(
    scraper: MakeScraper, google_web: GoogleWeb
) -> None:
    """
    One odd page is let go.

    When nothing is understood any more, the source says so. A good page in between starts anew.
    """
    google_web.default = Page("<h1>Out of order</h1>", status=500)
    google_web.pages["Good"] = result_page([picture(n) for n in range(5)])
    google = scraper(page_wait_s=0.5)
    errors = []

    for number, name in enumerate(["A1", "B1", "Good", "C1", "D1", "E1"]):
        try:
            google.find(name, qid=f"Q{number + 1}")
        except SourceError as error:
            errors.append(error)

    assert [isinstance(error, PersonNotSearched) for error in errors] == [
        True,
        True,
        True,
        True,
        False,
    ]
    assert "HTTP 500" in errors[-1].message
    assert "3 people in a row" in errors[-1].message
    assert google.tally.reasons == {"google_unknown_page": 5}


def test_every_page_is_kept_where_that_is_wanted(
    scraper: MakeScraper, google_web: GoogleWeb, shared_data: Path, tmp_path: Path
) -> None:
    """--save-page keeps HTML and screenshot of good pages and of captchas, named by their kind."""
    google_web.pages["Ada"] = result_page([picture(n) for n in range(5)])
    google_web.default = captured(shared_data, "sorry_captcha_en.html")
    google = scraper(save_page=tmp_path / "kept")
    google.find("Ada")

    with pytest.raises(SourceBlocked):
        google.find("Bob", qid="Q2")

    assert sorted(
        f"{file.stem.split('-')[2]}{file.suffix}" for file in (tmp_path / "kept").iterdir()
    ) == [
        "captcha.html",
        "captcha.png",
        "results.html",
        "results.png",
    ]


@pytest.mark.parametrize(
    "body",
    [
        '<div class="g-recaptcha" data-sitekey="x"></div>?',
        '<form method="post" action="/sorry/index"><input name="q" value="x"></form>?',
    ],
    ids=["widget", "form"],
)
def test_a_captcha_without_a_known_text_is_one(
    own_scraper: MakeScraper, google_web: GoogleWeb, body: str
) -> None:
    """The parts of a captcha tell it in every language, with HTTP 200 and at any address."""
    google_web.default = Page(f"<!doctype html><body>{body}</body>")

    with pytest.raises(SourceBlocked, match="captcha"):
        own_scraper().find("Ada")


def test_a_page_with_a_search_box_is_no_shell(scraper: MakeScraper, google_web: GoogleWeb) -> None:
    """
    Good pages carry the shell's `noscript` too.

    One that nobody understands must not be taken for a refusal, which costs an hour.
    """
    noscript = (
        '<noscript><meta content="0;url=/httpservice/retry/enablejs?sei=x"'
        ' http-equiv="refresh"></noscript>'
    )
    google_web.default = Page(
        f"<!doctype html><body><form><textarea name=q>Ada</textarea></form>{noscript}<p>Ei"
        " mitään</p></body>"
    )

    with pytest.raises(PersonNotSearched, match="unknown"):
        scraper(page_wait_s=0.5).find("Ada")
