"""Set up logging once, for the person at a terminal, for cron and for programs.

Modules log through `logging.getLogger(__name__)`: an event, then `key=value` pairs.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Literal

PACKAGE = "celebcollect"


def json_line(value: object, encoding: str | None) -> str:
    """
    Return a value as one line of JSON, readable where this encoding can say it.

    Else it is escaped: half a surrogate pair, "é" in ASCII.
    """
    line = json.dumps(value, ensure_ascii=False)
    try:
        line.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(value)
    return line


class JsonFormatter(logging.Formatter):
    """
    One JSON object a line: time, level, logger and message.

    Where there are any, also the exception's type, and facts for programs.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
        if isinstance(facts := getattr(record, "facts", None), dict):
            line["facts"] = facts
        return json_line(line, getattr(sys.stderr, "encoding", None))


def setup(
    verbosity: int = 0,
    form: Literal["text", "json"] = "text",
    handler: logging.Handler | None = None,
) -> None:
    """
    Send our log lines to stderr.

    Information by default, details with 1 (`-v`), other libraries' too with 2, warnings only with
    -1.

    Other libraries stay at warnings below `-vv`, because their debug lines show whole requests,
    headers included.
    """
    chosen = handler or logging.StreamHandler(sys.stderr)
    if form == "json":
        chosen.setFormatter(JsonFormatter())
    elif handler is None:
        chosen.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%Y-%m-%dT%H:%M:%S")
        )
    level = logging.WARNING if verbosity < 0 else logging.DEBUG if verbosity else logging.INFO
    root = logging.getLogger()
    root.handlers[:] = [chosen]
    # Not even -vv lets them go to DEBUG: their debug lines carry Authorization headers.
    root.setLevel(logging.INFO if verbosity > 1 else logging.WARNING)
    logging.getLogger(PACKAGE).setLevel(level)
