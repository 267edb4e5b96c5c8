"""Ask a server for the time, to judge this machine's clock."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from celebcollect.config.sections import HttpConfig
from celebcollect.web.http_library import HTTPError, InvalidURL, head
from celebcollect.web.user_agent import user_agent


def server_time(url: str, http: HttpConfig) -> datetime | None:
    """
    Return the time (UTC, whole seconds) that the server of `url` puts on its answers.

    None when it cannot be reached or tells none.
    """
    try:
        answer = head(
            url,
            headers={"User-Agent": user_agent(http.contact)},
            timeout=http.timeout_s,
            trust_env=False,
        )
        told = parsedate_to_datetime(answer.headers.get("Date", ""))
    except (HTTPError, InvalidURL, ValueError):
        return None
    return told.astimezone(UTC) if told.tzinfo else None
