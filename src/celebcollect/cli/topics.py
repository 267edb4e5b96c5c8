"""`topics`: look at the topics, write to them, deliver dead letters again."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from celebcollect.cli.publish import topics_publish
from celebcollect.cli.publishing import (
    PUBLISH_BATCH,
    TopicArgument,
    must_exist,
    publish,
    raise_too_large,
)
from celebcollect.cli.session import JsonOption, add, session_of
from celebcollect.cli.text import print_json, printable
from celebcollect.domain.errors import MessageTooLarge

if TYPE_CHECKING:
    from celebcollect.bus.base import Item, Message

topics = typer.Typer(
    help=(
        "Look at the topics, write to them, deliver dead letters again.\n\nExample: celebcollect"
        " topics list"
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
)


def add_to(app: typer.Typer) -> None:
    """Add the group of commands."""
    add(topics, topics_list, "list")
    add(topics, topics_create, "create")
    add(topics, topics_peek, "peek")
    add(topics, topics_publish, "publish")
    add(topics, topics_replay_dead, "replay-dead")
    app.add_typer(
        topics,
        name="topics",
        short_help="Look at the topics, write to them, deliver dead letters again.",
    )


def topics_list(context: typer.Context, as_json: JsonOption = False) -> None:
    """
    List the topics with their messages and how far behind each consumer group is.

    Example: celebcollect topics list
    """
    from celebcollect.cli.topic_table import print_topics, topic_facts

    with session_of(context).app(looking=True) as app:
        facts = topic_facts(app)
    if as_json:
        print_json(facts)
    else:
        print_topics(facts)


def topics_create(context: typer.Context) -> None:
    """
    Create the topics of the configuration that are missing.

    Example: celebcollect topics create
    """
    with session_of(context).app() as app:
        names = app.config.topics.all()
        _ = app.bus  # opening it creates them
    sys.stdout.write(f"topics: {', '.join(names)}\n")


def topics_peek(
    context: typer.Context,
    topic: TopicArgument,
    number: Annotated[
        int, typer.Option("-n", min=1, metavar="N", help="How many of the newest messages.")
    ] = 10,
    as_json: JsonOption = False,
) -> None:
    """
    Read a topic's newest messages without consuming them and print one line for each.

    Example: celebcollect topics peek urlsVerifie -n 3 --json
    """
    with session_of(context).app(looking=True) as app:
        must_exist(app, topic)
        for message in app.bus.read(topic, last=number):
            if as_json:
                print_json(_message_facts(message))
            else:
                value = (
                    "(withdrawn)"
                    if message.value is None
                    else message.value.decode("utf-8", "backslashreplace")
                )
                at = f"{message.partition}/{message.offset}"
                sys.stdout.write(f"{at}\t{message.key or '-'}\t{printable(value)}\n")


def topics_replay_dead(context: typer.Context, topic: TopicArgument) -> None:
    """
    Read a topic's dead letters and put the original messages back on the topic.

    Each letter is delivered again once: what is still undecodable comes back as a new letter.

    Example: celebcollect topics replay-dead urls
    """
    from celebcollect.bus import dead
    from celebcollect.bus.base import DEAD

    original = topic.removesuffix(DEAD)
    replayed = foreign = 0
    too_large: list[MessageTooLarge] = []
    with session_of(context).app() as app:
        must_exist(app, dead.dead_topic(original))
        with app.bus.subscribe([dead.dead_topic(original)], "replay-dead") as subscription:
            while (messages := subscription.poll(PUBLISH_BATCH, 1.0)) or subscription.lag():
                items: list[Item] = []
                for message in messages:
                    try:
                        letter = dead.decode(message.value or b"")
                    except ValueError:
                        foreign += 1
                        continue
                    items.append((letter.key, letter.value))
                replayed += publish(app, original, items, too_large)
                if messages:
                    subscription.commit(messages)
    sys.stdout.write(f"replayed {replayed} messages on {original}\n")
    if foreign:
        sys.stderr.write(
            f"celebcollect: {foreign} messages on {dead.dead_topic(original)} are no dead letters"
            " of ours and were passed over\n"
        )
    raise_too_large(too_large)


def _message_facts(message: "Message") -> dict[str, Any]:
    import base64
    import json

    facts: dict[str, Any] = {
        "topic": message.topic,
        "partition": message.partition,
        "offset": message.offset,
        "timestamp_ms": message.timestamp_ms,
        "key": message.key,
        "value": None,
    }
    if message.value is not None:
        try:
            facts["value"] = json.loads(message.value)
        except (ValueError, RecursionError):
            facts["value_base64"] = base64.b64encode(message.value).decode("ascii")
    return facts
