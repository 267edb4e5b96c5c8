"""Find out which occupations are meant, by QID or name, and which ones lie below them."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Sequence
from datetime import timedelta

from celebcollect.domain.errors import UsageError
from celebcollect.domain.text import clean_text
from celebcollect.sources.wikidata import queries
from celebcollect.sources.wikidata.answers import Row
from celebcollect.sources.wikidata.endpoint import Endpoint
from celebcollect.sources.wikidata.progress import Fresh
from celebcollect.sources.wikidata.values import qid_of

log = logging.getLogger(__name__)

VALID_FOR = timedelta(days=30)
"""How long the subclasses of an occupation are reused; they hardly change, and asking for them
follows a path of any length."""

MAX_CHARS = 250
"""Longest label that Wikidata takes."""

_QID = re.compile(r"[Qq][1-9][0-9]{0,11}")


class Occupations:
    """Look-ups of occupations at one endpoint."""

    def __init__(self, endpoint: Endpoint, fresh: Fresh, languages: Sequence[str]) -> None:
        self._endpoint = endpoint
        self._fresh = fresh
        self._languages = languages

    def resolve(self, wanted: Sequence[str]) -> list[str]:
        """
        Return the QIDs of occupations given by QID or name, without repetitions.

        Raises:
            UsageError: No occupation at all, or a name that means none or several.
        """
        texts = [clean_text(text) for text in wanted]
        if not any(texts):
            raise UsageError(
                "no occupation to look for",
                hint=(
                    'Set wikidata.occupations, or give --occupation Q33999 or --occupation "film'
                    ' actor".'
                ),
            )
        return list(
            dict.fromkeys(
                text.upper() if _QID.fullmatch(text) else self._called(text)
                for text in texts
                if text
            )
        )

    def subclasses(self, occupation: str) -> list[str]:
        """
        Return an occupation and everything below it.

        Most film actors are film actors only, not actors too.
        """
        what = f"subclasses/{occupation}"
        known = self._fresh.get(what, VALID_FOR)
        if known is None:
            rows = self._endpoint.select_stubbornly(queries.subclasses(occupation))
            found = {qid for row in rows if (qid := qid_of(row.get("class")))} | {occupation}
            known = sorted(found, key=lambda qid: (qid != occupation, int(qid[1:])))
            self._fresh.put(what, known)
            log.info("subclasses occupation=%s number=%d", occupation, len(known))
        return known

    def _called(self, name: str) -> str:
        found: dict[str, str] = {}
        # no label has a backslash, and some engines unescape \u before they parse
        if len(name) <= MAX_CHARS and "\\" not in name:
            spellings = dict.fromkeys((name, name.lower(), name[:1].upper() + name[1:]))
            # Films and families are called "actor" too: who has it as an occupation comes first,
            # then any class of things.
            for occupations_only in (True, False):
                rows = self._endpoint.select_stubbornly(
                    queries.called(spellings, self._languages, occupations_only=occupations_only)
                )
                if found := self._described(rows):
                    break
        if len(found) == 1:
            qid = next(iter(found))
            log.info("occupation name=%s qid=%s", name, qid)
            return qid
        shown = json.dumps(name[:80], ensure_ascii=False)
        if not found:
            raise UsageError(
                f"Wikidata knows no occupation called {shown} (languages:"
                f" {', '.join(self._languages)})",
                hint="Give its QID, e.g. --occupation Q33999.",
            )
        choice = ", ".join(
            f"{qid} ({about})" if about else qid
            for qid, about in sorted(found.items(), key=lambda item: int(item[0][1:]))[:8]
        )
        raise UsageError(
            f"{shown} means several things: {choice}", hint="Give the QID of the one that you mean."
        )

    def _described(self, rows: Sequence[Row]) -> dict[str, str]:
        """Return the items with their descriptions in the best language."""
        found: dict[str, tuple[int, str]] = {}
        for row in rows:
            if qid := qid_of(row.get("item")):
                about = row.get("about")
                text = (
                    clean_text(about.value)[:80]
                    if about and about.language in self._languages
                    else ""
                )
                rank = (
                    self._languages.index(about.language)
                    if about and text
                    else len(self._languages)
                )
                found[qid] = min(found.get(qid, (rank, text)), (rank, text))
        return {qid: text for qid, (_, text) in found.items()}
