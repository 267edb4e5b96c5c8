"""Keep stderr a stream of JSON objects, one a line, whoever writes to it."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any, TextIO

from celebcollect.cli import log

_logger = logging.getLogger(log.PACKAGE)


def start() -> None:
    """Turn what is no JSON into objects from now on: errors, tracebacks, warnings of libraries."""
    if isinstance(sys.stderr, JsonLines):
        return
    sys.stderr = JsonLines(sys.stderr)
    log.setup(-1, "json")
    logging.captureWarnings(capture=True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread
    sys.unraisablehook = _unraisable


def tell(message: str, hint: str, code: int) -> None:
    """Write the object of an error that ends the program, or of a warning (code 0)."""
    facts: dict[str, Any] = {"hint": hint} if hint else {}
    if code:
        facts["exit_code"] = code
    level = logging.ERROR if code else logging.WARNING
    _logger.log(level, "%s", message, extra={"fields": facts})


class JsonLines(io.TextIOBase):
    """A stream that writes lines of JSON as they are and wraps every other line. Thread-safe."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._lock = threading.RLock()
        self._begun = ""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Return the encoding of the stream behind."""
        return self._stream.encoding

    def write(self, text: str, /) -> int:
        """Take text; whole lines of it are written."""
        with self._lock:
            *whole, self._begun = (self._begun + text).split("\n")
            for line in filter(str.strip, whole):
                self._stream.write(self._as_json(line) + "\n")
        return len(text)

    def flush(self) -> None:
        """Flush the stream behind; the beginning of a line waits for its end."""
        self._stream.flush()

    def fileno(self) -> int:
        """Return the descriptor of the stream behind."""
        return self._stream.fileno()

    def isatty(self) -> bool:
        """Return whether the stream behind is a terminal."""
        return self._stream.isatty()

    def writable(self) -> bool:
        """Return True."""
        return True

    def _as_json(self, line: str) -> str:
        with suppress(ValueError):
            if isinstance(json.loads(line), dict):
                return line
        text = line.removeprefix("celebcollect: ").strip()
        record = logging.LogRecord(log.PACKAGE, logging.WARNING, "", 0, "%s", (text,), None)
        return log.JsonFormatter().format(record)


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    _logger.critical("unexpected error: %s", error, exc_info=(kind, error, trace))


def _uncaught_in_thread(found: threading.ExceptHookArgs) -> None:
    if found.exc_value is not None and not isinstance(found.exc_value, SystemExit):
        _uncaught(found.exc_type, found.exc_value, found.exc_traceback)


def _unraisable(found: sys.UnraisableHookArgs) -> None:
    if found.exc_value is not None:
        _uncaught(found.exc_type, found.exc_value, found.exc_traceback)
