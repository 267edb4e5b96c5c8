"""Google Images as a source of pictures.

One ordinary browser, one query at a time, slowly, and away when it is told to go.

The parts: `query` what to ask, `cache` what was asked before, `pace` when to ask,
`browser` and `look` how to ask, `page` and `records` what the answer means.
Captchas are not solved and nothing is done to look like a person.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from celebcollect.catalogue.base import Notes
from celebcollect.domain.errors import SourceError
from celebcollect.domain.records import Celebrity, ImageCandidate, now
from celebcollect.domain.tally import Tally
from celebcollect.sources.google.browser import Browser, BrowserFailed
from celebcollect.sources.google.cache import AnswerCache, CachedAnswer
from celebcollect.sources.google.candidate import candidate_of
from celebcollect.sources.google.failures import FailuresInARow
from celebcollect.sources.google.kept_pages import keep_page, pages
from celebcollect.sources.google.look import Seen, look_through
from celebcollect.sources.google.pace import QueryPace, blocked
from celebcollect.sources.google.page import State
from celebcollect.sources.google.query import address, queries
from celebcollect.sources.google.reasons import GoogleReason
from celebcollect.sources.google.records import FoundPicture, originals, unique
from celebcollect.sources.google.scripts import LISTEN
from celebcollect.sources.google.settings import GoogleConfig

log = logging.getLogger(__name__)

_REFUSALS = {
    State.CAPTCHA: "Google asks for a captcha (unusual traffic)",
    State.JS_SHELL: "Google checks the browser and does not let it through",
}


class Google:
    """
    The source `google`. To be used by one thread at a time.

    The browser starts with the first query that needs it.

    Args:
        settings: `[google]`.
        topic: Where the candidates go.
        data_dir: Takes the remembered answers, the pages that nobody understands, and the browser's
            folder.
        tally: Counts what is left out.
        notes: Keeps the time of the last query and the rest after a captcha, for the next run too.
        save_page: Keep HTML and a screenshot of every page in this folder.
        wait: Waits so many seconds; returns true when it was cut short because the work is to end.
    """

    name = "google"

    def __init__(
        self,
        settings: GoogleConfig,
        *,
        topic: str,
        data_dir: Path,
        tally: Tally,
        notes: Notes,
        save_page: Path | None = None,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self.topic = topic
        self._settings = settings
        self._data_dir = data_dir
        self._tally = tally
        self._cache = AnswerCache(data_dir, max_age_days=settings.cache_days, tally=tally)
        self._pace = QueryPace(notes, min_interval_s=settings.min_interval_s, wait=wait)
        self._save_page = save_page
        self._browser: Browser | None = None
        self._queries = 0
        self._failures = FailuresInARow(tally)

    def candidates(self, person: Celebrity, limit: int) -> Iterator[ImageCandidate]:
        """
        Yield at most `limit` pictures of a person in Google's order.

        Fewer mean that there are no more.

        It ends early, too, when `wait` was cut short.

        Raises:
            SourceBlocked: A captcha, now or a while ago; remembered answers are still given.
            PersonNotSearched: The page of this person's query could not be understood, or the
                browser failed twice.
            SourceError: No browser, no network, or several people in a row who could not be
                searched.
            StorageError: The disk refuses.
        """
        shown: list[FoundPicture] = []
        texts = list(queries(person, self._settings))
        if not texts:
            self._tally.drop(GoogleReason.NO_QUERY)
        for text in texts:
            if len(shown) >= limit:
                return
            # As many as for the first query: all of them may be shown already.
            answer = self._answer(person, address(text, self._settings), limit)
            if answer is None:
                return
            before = len(shown)
            shown = list(unique((*shown, *answer.found)))[:limit]
            for rank, picture in enumerate(shown[before:], start=before):
                yield candidate_of(person, picture, rank, answer)

    def probe(self) -> None:
        """Start the browser, asking nobody; raises SourceError when it does not start."""
        try:
            self._ready()
        except BrowserFailed as failed:
            raise self._failures.error(failed.reason, str(failed), fatal=True) from failed

    def close(self) -> None:
        """End the browser."""
        if self._browser:
            self._browser.close()
            self._browser = None

    def _answer(self, person: Celebrity, url: str, wanted: int) -> CachedAnswer | None:
        """
        Return the pictures for a query, remembered or asked for.

        None when the work is to end.
        """
        remembered = self._cache.get(person.qid, url)
        if remembered and (remembered.complete or len(remembered.found) >= wanted):
            self._tally.count("google_queries_saved")
            return remembered
        seen = self._ask(person.qid, url, wanted)
        if seen is None:
            return None
        found = originals(seen.found)
        self._tally.drop(GoogleReason.NOT_ORIGINAL, len(seen.found) - len(found))
        if seen.state is State.NO_RESULTS:
            self._tally.drop(GoogleReason.NO_RESULTS)
        answer = CachedAnswer(address=url, at=now(), complete=seen.complete, found=found)
        self._cache.put(person.qid, answer)
        if not seen.refused:
            self._pace.welcome()
            return answer
        until = self._pace.rest()
        if len(found) < wanted:
            raise blocked(_REFUSALS[State.CAPTCHA], until)
        return answer

    def _ask(self, qid: str, url: str, wanted: int) -> Seen | None:
        """Put a query to Google, twice when the browser fails; None when the work is to end."""
        self._pace.check()
        try:
            return self._try(qid, url, wanted)
        except BrowserFailed as failure:
            log.warning(
                "browser failed, the query is put again reason=%s detail=%s",
                failure.reason,
                failure.detail,
            )
            self._tally.count("google_browser_restarts")
            self.close()
        try:
            return self._try(qid, url, wanted)
        except BrowserFailed as failure:
            self.close()
            nobody = failure.reason is GoogleReason.BROWSER_UNREACHABLE
            raise self._failures.error(
                failure.reason,
                f"the browser failed twice: {failure.detail}",
                fatal=nobody,
            ) from failure

    def _try(self, qid: str, url: str, wanted: int) -> Seen | None:
        browser = self._ready()
        if not self._pace.take_turn():
            return None
        self._queries += 1
        self._tally.count("google_queries")
        try:
            ended = browser.open(url)
        finally:
            self._pace.asked()
        return self._judge(
            browser,
            qid,
            look_through(browser, wanted, ended=ended, page_wait_s=self._settings.page_wait_s),
        )

    def _ready(self) -> Browser:
        """Return the open browser, a fresh one after so many queries."""
        if self._browser and self._queries >= self._settings.queries_per_browser:
            self.close()
        if self._browser is None:
            self._browser = Browser(self._settings, self._data_dir / "browser")
            self._browser.listen(LISTEN)
            self._queries = 0
        return self._browser

    def _judge(self, browser: Browser, qid: str, seen: Seen) -> Seen:
        """
        Return what can be used.

        What cannot be used is raised, with the page saved where that helps somebody.
        """
        log.debug(
            "page state=%s pictures=%d complete=%s http=%d",
            seen.state,
            len(seen.found),
            seen.complete,
            seen.http_status,
        )
        saved = keep_page(browser, self._save_page, qid, seen.state) if self._save_page else None
        if seen.state in (State.RESULTS, State.NO_RESULTS):
            self._failures.end()
            return seen
        if seen.state in _REFUSALS:
            self.close()
            raise blocked(_REFUSALS[seen.state], self._pace.rest())
        if seen.state is State.BASIC:
            raise SourceError(
                "Google sends the page for browsers without JavaScript: it has thumbnails only",
                hint=(
                    "Update Chromium; if that does not help, Google takes this browser for a robot"
                    " today: leave it alone for a while."
                ),
            )
        saved = saved or keep_page(browser, pages(self._data_dir), qid, seen.state)
        what = f"HTTP {seen.http_status}" if seen.http_status >= 400 else seen.state
        raise self._failures.error(
            GoogleReason.UNKNOWN_PAGE,
            f"a page of Google that nobody understands ({what}), kept as {saved}",
        )
