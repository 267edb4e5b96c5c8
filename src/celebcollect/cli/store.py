"""`store`: download pictures."""

import typer

from celebcollect import runtime
from celebcollect.cli.consume import UrlsOption, consume_topics
from celebcollect.cli.session import FollowOption, JsonOption


def store(
    context: typer.Context,
    follow: FollowOption = False,
    limit: UrlsOption = None,
    as_json: JsonOption = False,
) -> None:
    """
    Read verified URLs from urlsVerifie, download them and save the files and what is known of them.

    Example: celebcollect store --follow
    """
    # A worker multiplies nothing larger than 32x32, and OpenBLAS's threads cost a tenth of its
    # start (read when numpy is imported).
    with runtime.environment(OPENBLAS_NUM_THREADS="1"):
        consume_topics(context, "store", follow, limit, as_json)
