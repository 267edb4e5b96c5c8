"""Getting a browser: on this machine, on a Grid, or an error that says what to do."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator

import pytest

from celebcollect.domain.errors import SourceError
from celebcollect.sources.google.launch import browser_options
from celebcollect.sources.google.settings import GoogleConfig
from sources.google_steps import MakeScraper, urls
from sources.google_web import GoogleWeb, Page, picture, records_script, result_page, scrolling

pytestmark = pytest.mark.browser

GOOD = result_page([picture(n) for n in range(5)])


@pytest.fixture
def grid(browser: None) -> Iterator[str]:
    """A driver that was started by somebody else, as the node of a Selenium Grid is."""
    process = subprocess.Popen(
        ["chromedriver", "--port=0"], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stdout is not None
    started = next(line for line in process.stdout if "started successfully on port" in line)
    yield "http://127.0.0.1:" + started.rsplit("port", 1)[1].strip(" .\n")
    # with the browser, should a test have failed to give it back
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def test_a_grid_searches_as_a_local_browser_does(
    own_scraper: MakeScraper, google_web: GoogleWeb, grid: str
) -> None:
    """
    With remote_url the browser of another machine is used, scrolling included.

    It is given back at the end.
    """
    chunk = records_script([picture(n) for n in range(5, 8)])
    google_web.default = result_page([picture(n) for n in range(5)], scrolling([chunk]))
    google_web.paths["/chunk"] = Page(chunk)
    google = own_scraper(remote_url=grid)

    found = google.find("Ada", limit=8)

    assert urls(found) == [f"https://pictures.example/{n}.jpg" for n in range(8)]
    assert google.processes() == []
    google.source.close()
    google.source.close()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"remote_url": "http://user:pass-word@127.0.0.1:9/wd/hub"},
            r"Grid at 127\.0\.0\.1:9 gives no browser",
        ),
        ({"driver": "/no/such/chromedriver"}, "driver: /no/such/chromedriver is no program"),
        ({"browser": "/no/such/chromium"}, "browser: /no/such/chromium is no program"),
        ({"browser": "/bin/false"}, "the browser does not start"),
        ({"driver": "/bin/false"}, "chromedriver does not start"),
    ],
)
def test_without_a_browser_the_error_says_what_to_do(
    own_scraper: MakeScraper, settings: dict[str, str], message: str
) -> None:
    """One line with the value that is wrong, and a hint; never a password."""
    google = own_scraper(**settings)

    with pytest.raises(SourceError, match=message) as error:
        google.find("Ada")

    assert error.value.hint
    assert "pass-word" not in error.value.message + error.value.hint
    assert "\n" not in error.value.message


@pytest.mark.parametrize(
    ("by_setting", "by_variable"), [("", "chromedriver"), ("chromedriver", "/bin/false")]
)
def test_a_driver_is_found_by_setting_then_by_variable(
    own_scraper: MakeScraper,
    google_web: GoogleWeb,
    monkeypatch: pytest.MonkeyPatch,
    by_setting: str,
    by_variable: str,
) -> None:
    """The setting wins over $SE_CHROMEDRIVER, which wins over the PATH."""
    google_web.default = GOOD
    monkeypatch.setenv("SE_CHROMEDRIVER", shutil.which(by_variable) or "")

    assert len(own_scraper(driver=by_setting).find("Ada")) == 5


@pytest.mark.parametrize(
    ("user", "here", "given_up"), [(0, True, True), (0, False, False), (1000, True, False)]
)
def test_the_sandbox_is_given_up_by_root_on_this_machine_only(
    monkeypatch: pytest.MonkeyPatch, user: int, here: bool, given_up: bool
) -> None:
    """Chromium's sandbox stays wherever it can."""
    monkeypatch.setattr(os, "geteuid", lambda: user)

    assert ("--no-sandbox" in browser_options(GoogleConfig(), here=here).arguments) is given_up


def test_a_web_server_is_no_grid(own_scraper: MakeScraper, google_web: GoogleWeb) -> None:
    """A server that answers, but not as a Grid does, is told apart."""
    google_web.paths["/session"] = Page("<h1>Hello</h1>")

    with pytest.raises(SourceError, match="is no Selenium Grid"):
        own_scraper(remote_url=google_web.base).find("Ada")
