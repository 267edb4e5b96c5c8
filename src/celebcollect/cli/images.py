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
    from celebcollect.domain.records import Image

IMAGE_FIELDS = (
    "qid", "name", "status", "reason", "source", "url", "page_url", "licence", "author", "sha256", "path",
    "bytes", "format", "width_px", "height_px", "found_at", "stored_at", "detail", "duplicate_of", "identity", "restored_from",
)  # fmt: skip


def images(
    context: typer.Context,
    state: Annotated[
        str | None,
        typer.Option(
            "--status",
            metavar="STATUS",
            help="Only verified, stored, accepted, rejected or failed ones.",
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
    from celebcollect.domain.records import Status

    wanted = None
    if state is not None:
        if state not in list(Status):
            raise UsageError(f"unknown status: {state!r}", hint=f"States are {', '.join(Status)}.")
        wanted = Status(state)
    if qid is not None:
        check_qid(qid)
    with session_of(context).app() as app:
        found = app.catalogue.images(qid=qid, status=wanted)
        if since:
            begin = since.replace(tzinfo=UTC)
            found = (
                image
                for image in found
                if any(at and at >= begin for at in (image.found_at, image.stored_at))
            )
        for image in islice(found, None if limit is None else min(limit, sys.maxsize)):
            if as_json:
                print_json(_image_facts(image))
            else:
                reason = f" ({image.reason})" if image.reason else ""
                sys.stdout.write(
                    f"{image.qid}\t{image.name}\t{image.status.value}{reason}\t{image.source}\t{image.path or image.url}\n"
                )


def _image_facts(image: "Image") -> dict[str, Any]:
    facts = image.model_dump(mode="json")
    return {name: facts[name] for name in IMAGE_FIELDS}
