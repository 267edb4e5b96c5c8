"""Remember for how long an endpoint wants us to stay away, for the next run too."""

from __future__ import annotations

from datetime import datetime

from celebcollect.catalogue.base import Notes
from celebcollect.domain.errors import SourceBlocked
from celebcollect.domain.records import now

_NOTE = "wikidata/blocked"


class Ban:
    """What an endpoint has said to this address and User-Agent."""

    def __init__(self, notes: Notes, address: str, *, shown: str, user_agent: str) -> None:
        self._notes = notes
        self._address = address
        self._shown = shown
        self._user_agent = user_agent

    def check(self) -> None:
        """
        Refuse to ask while we are blocked.

        A block is bound to the address and the User-Agent, as Wikidata's is.

        Raises:
            SourceBlocked: The time that the endpoint has named is not over.
        """
        note = self._notes.note(_NOTE)
        if not note or (note.get("endpoint"), note.get("agent")) != (
            self._address,
            self._user_agent,
        ):
            return
        try:
            until = datetime.fromisoformat(str(note.get("until")))
            blocked = until > now()
        except (ValueError, TypeError):
            blocked = False
        if blocked:
            raise SourceBlocked(
                f"{self._shown} has asked us to stay away until {until:%Y-%m-%d %H:%M} UTC",
                hint="Run it again after that.",
                until=until,
            )
        self._notes.set_note(_NOTE, None)

    def remember(self, blocked: SourceBlocked) -> None:
        """Note until when we are to stay away, where the endpoint has said so."""
        if blocked.until:
            note = {
                "endpoint": self._address,
                "agent": self._user_agent,
                "until": blocked.until.isoformat(),
            }
            self._notes.set_note(_NOTE, note)
