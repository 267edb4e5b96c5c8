"""`images`: list pictures."""

import sys
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from celebcollect.cli.session import JsonOption, check_qid, session_of
from celebcollect.cli.text import print_json
from celebcollect.domain.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from celebcollect.domain.records import Image, Status

IN_DOUBT = "in_doubt"
"""A flag of accepted and rejected images, asked for like a status."""

IMAGE_FIELDS = (
    *("qid", "name", "status", "reason", "source", "url", "page_url", "licence", "author"),
    *("sha256", "path", "bytes", "format", "width_px", "height_px", "found_at", "stored_at"),
    *("detail", "duplicate_of", "identity", "restored_from"),
)


def images(
    context: typer.Context,
    state: Annotated[
        str | None,
        typer.Option(
            "--status",
            metavar="STATUS",
            help="Only verified, stored, accepted, rejected or failed ones, or those in_doubt.",
        ),
    ] = None,
    qid: Annotated[str | None, typer.Option("--qid", help="Only this person's.")] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"],
            metavar="DATE",
            help="Only those found or stored since then (UTC).",
        ),
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, metavar="N", help="At most N images.")] = None,
    as_json: JsonOption = False,
) -> None:
    """
    Read images from the catalogue and print one line for each.

    Example: celebcollect images --status rejected --json
    """
    wanted = None if state in (None, IN_DOUBT) else _status(str(state))
    if qid is not None:
        check_qid(qid)
    with session_of(context).app(looking=True) as app:
        found = app.catalogue.images(qid=qid, status=wanted)
        if state == IN_DOUBT:
            found = (image for image in found if image.in_doubt)
        if since:
            found = _since(found, since.replace(tzinfo=UTC))
        for image in islice(found, None if limit is None else min(limit, sys.maxsize)):
            if as_json:
                print_json(_image_facts(image))
            else:
                sys.stdout.write(_line(image))


def _status(state: str) -> "Status":
    from celebcollect.domain.records import Status

    if state not in list(Status):
        raise UsageError(
            f"unknown status: {state!r}", hint=f"States are {', '.join([*Status, IN_DOUBT])}."
        )
    return Status(state)


def _since(images: "Iterator[Image]", begin: datetime) -> "Iterator[Image]":
    """Yield the images that were found or stored since then."""
    for image in images:
        if any(at and at >= begin for at in (image.found_at, image.stored_at)):
            yield image


def _line(image: "Image") -> str:
    status = f"{image.status.value} ({image.reason})" if image.reason else image.status.value
    fields = (image.qid, image.name, status, image.source, str(image.path or image.url))
    return "\t".join(fields) + "\n"


def _image_facts(image: "Image") -> dict[str, Any]:
    facts = image.model_dump(mode="json")
    return {name: facts[name] for name in IMAGE_FIELDS}
