"""`validate`: judge picture URLs by themselves."""

import typer

from celebcollect.cli.consume import UrlsOption, consume_topics
from celebcollect.cli.session import FollowOption, JsonOption


def validate(
    context: typer.Context,
    follow: FollowOption = False,
    limit: UrlsOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Read picture URLs from the urls topics and pass those that are well-formed, public and new
    on to urlsVerifie.

    Example: celebcollect validate --follow
    """
    consume_topics(context, "validate", follow, limit, as_json)
