"""What the commands share that write to a topic."""

from typing import TYPE_CHECKING, Annotated

import typer

from celebcollect.domain.errors import MessageTooLarge, UsageError

if TYPE_CHECKING:
    from celebcollect.app import App
    from celebcollect.bus.base import Item

PUBLISH_BATCH = 500

TopicArgument = Annotated[str, typer.Argument(metavar="TOPIC", help="Name of the topic.")]


def publish(app: "App", topic: str, items: "list[Item]", too_large: list[MessageTooLarge]) -> int:
    """
    Publish what the topic takes and return how many messages that were.

    One that is too large must not keep those behind it.
    """
    try:
        app.bus.publish(topic, items)
    except MessageTooLarge as error:
        too_large.append(error)
        return len(items) - len(error.items)
    return len(items)


def raise_too_large(too_large: list[MessageTooLarge]) -> None:
    """
    Tell of all messages that a topic did not take.

    Raises:
        MessageTooLarge: There were some.
    """
    if too_large:
        last, count = too_large[-1], sum(len(error.items) for error in too_large)
        raise MessageTooLarge(
            f"{count} messages were not published, the last time because {last.message}",
            hint=last.hint,
        )


def must_exist(app: "App", topic: str) -> None:
    """
    Refuse a topic that the log does not have.

    Raises:
        UsageError: There is no such topic.
    """
    if not app.bus.topics([topic]):
        from celebcollect.bus.base import our_topics

        names = [known.name for known in our_topics(app.bus, app.config.topics.all())]
        raise UsageError(f"no such topic: {topic!r}", hint=f"Topics are {', '.join(names)}.")
