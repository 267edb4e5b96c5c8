"""Set up logging once, for the person at a terminal, for cron and for programs.

Modules log through `logging.getLogger(__name__)`: an event, then `key=value` pairs.
"""

from __future__ import annotations

import json
import logging
import re
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

    `key=value` pairs of a message are fields of the object. Where there are any, also the
    exception's type and traceback, and facts for programs.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": "",
        }
        message, fields = _taken_apart(record)
        line["message"] = message
        for name, value in {**fields, **getattr(record, "fields", {})}.items():
            line[f"{name}_" if name in line else name] = value
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
            line["traceback"] = self.formatException(record.exc_info)
        if isinstance(facts := getattr(record, "facts", None), dict):
            line["facts"] = facts
        return json_line(line, getattr(sys.stderr, "encoding", None))


def _taken_apart(record: logging.LogRecord) -> tuple[str, dict[str, object]]:
    """Return the message of a record without its `key=%s` pairs, and those with their values."""
    arguments = record.args
    if not isinstance(record.msg, str) or not isinstance(arguments, tuple) or not arguments:
        return record.getMessage(), {}
    rest, kept = [], []
    fields: dict[str, object] = {}
    place, number = 0, 0
    for found in _ARGUMENT.finditer(record.msg):
        if found["kind"] == "%":
            continue
        if number >= len(arguments) or "*" in found[0]:
            return record.getMessage(), {}
        value = arguments[number]
        number += 1
        if found["name"]:
            rest.append(record.msg[place : found.start()])
            place = found.end()
            fields[found["name"]] = value if isinstance(value, int | float) else str(value)
        else:
            kept.append(value)
    rest.append(record.msg[place:])
    try:
        return " ".join(("".join(rest) % tuple(kept)).split()), fields
    except (TypeError, ValueError):
        return record.getMessage(), {}


_ARGUMENT = re.compile(
    r"(?:(?P<name>\b[A-Za-z_][A-Za-z0-9_]*)=)?%[-#0 +]*[0-9*]*(?:\.[0-9*]+)?(?P<kind>[a-zA-Z%])"
)
"""An argument of a message in printf style, perhaps with its name before it."""


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
