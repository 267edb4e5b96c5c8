"""`topics publish`: put lines from stdin on a topic."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from celebcollect.cli.publishing import (
    PUBLISH_BATCH,
    TopicArgument,
    must_exist,
    publish,
    raise_too_large,
)
from celebcollect.cli.session import session_of
from celebcollect.cli.text import printable
from celebcollect.domain.errors import MessageTooLarge, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from celebcollect.bus.base import Item

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_MOST_TOLD = 10
"""Refused lines that are named one by one."""


def topics_publish(
    context: typer.Context,
    topic: TopicArgument,
    raw: Annotated[
        bool, typer.Option("--raw", help="Publish lines that are no candidate too, as they are.")
    ] = False,
) -> None:
    """
    Read JSON lines from stdin and put each on a topic, keyed by its qid.

    A line that is no candidate is refused with its number, and those around it are published. With
    `--raw` it is published as it is; the stage that reads the topic moves it to the dead letters.

    Example: celebcollect topics publish urls < candidates.jsonl
    """
    from celebcollect.domain.batches import batches

    odd = published = 0
    too_large: list[MessageTooLarge] = []
    with session_of(context).app() as app:
        must_exist(app, topic)
        names = app.config.topics
        lines = _Lines(raw=raw, check=topic in (*names.candidates(), names.verified))
        for batch in batches(lines.read(), PUBLISH_BATCH):
            if topic == names.clean and any(key is None for key, _ in batch):
                raise UsageError(
                    f"{topic} is compacted by key, and a line has no qid (published before it:"
                    f" {published})",
                    hint="Give every line a qid and a sha256.",
                )
            published += publish(app, topic, batch, too_large)
            odd += sum(key is None for key, _ in batch)
    sys.stdout.write(f"published {published} messages on {topic}\n")
    if odd:
        sys.stderr.write(f"celebcollect: {odd} of them have no qid\n")
    raise_too_large(too_large)
    if lines.refused:
        number = f"{lines.refused} line" + "s" * (lines.refused != 1)
        raise UsageError(
            f"refused {number} that cannot be a candidate",
            hint="Mend them, or publish them as they are with --raw.",
        )


class _Lines:
    """The lines of stdin, as messages."""

    def __init__(self, *, raw: bool, check: bool) -> None:
        self._raw, self._check = raw, check and not raw
        self.refused = 0

    def read(self) -> "Iterator[Item]":
        """
        Yield each line with the key that it asks for: the qid, or QID/sha256 of a picture.

        Raises:
            UsageError: The text is no UTF-8, but UTF-16 or UTF-32.
        """
        for number, line in enumerate(sys.stdin.buffer, 1):
            if number == 1 and not self._raw:
                _refuse_wide(line)
            # One stands at the start of every file that Windows PowerShell writes.
            value = line.removeprefix(_BYTE_ORDER_MARK).strip()
            if not value:
                continue
            if self._check and (why_not := _why_no_candidate(value)):
                self.refused += 1
                if self.refused <= _MOST_TOLD:
                    sys.stderr.write(f"celebcollect: line {number}: {printable(why_not)}\n")
                continue
            yield _key(value), value


def _refuse_wide(line: bytes) -> None:
    """Refuse UTF-16 and UTF-32, with a byte order mark or seen by their zeros."""
    # JSON begins with two characters of ASCII (RFC 4627, section 3): none of them is a zero byte.
    if line.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in line[:4]:
        raise UsageError(
            "stdin is UTF-16 or UTF-32, not UTF-8",
            hint=(
                "Convert it: `iconv -f UTF-16 -t UTF-8`; in PowerShell `Out-File -Encoding utf8`."
            ),
        )


def _why_no_candidate(value: bytes) -> str | None:
    from celebcollect.domain.records import ImageCandidate
    from celebcollect.stages.messages import explain

    try:
        ImageCandidate.model_validate_json(value)
    except ValueError as error:
        return explain(error)
    return None


def _key(value: bytes) -> str | None:
    import json

    try:
        facts = json.loads(value)
    except (ValueError, RecursionError):
        return None
    if not isinstance(facts, dict) or not isinstance(facts.get("qid"), str):
        return None
    is_picture = isinstance(facts.get("sha256"), str)
    key = f"{facts['qid']}/{facts['sha256']}" if is_picture else facts["qid"]
    return str(key.encode("utf-8", "replace").decode()) or None
