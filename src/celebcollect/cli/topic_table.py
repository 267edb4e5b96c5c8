"""Messages and lag of each topic, as `status` and `topics list` show them."""

from typing import TYPE_CHECKING, Any

from celebcollect.cli.text import print_table

if TYPE_CHECKING:
    from celebcollect.app import App
    from celebcollect.run.watch import PipelineState


def topic_facts(app: "App", look: "PipelineState | None" = None) -> dict[str, dict[str, Any]]:
    """Return messages and lag by topic; a stage that never ran is behind by everything."""
    from celebcollect.bus.base import our_topics

    names = app.config.topics
    readers = {
        **dict.fromkeys(names.candidates(), "validate"),
        names.verified: "store",
        names.clean: "train",
    }
    return {
        topic.name: {
            "messages": topic.messages,
            "lag": {
                **({readers[topic.name]: topic.messages} if topic.name in readers else {}),
                **topic.lag,
            },
        }
        for topic in (our_topics(app.bus, names.all()) if look is None else look.topics.values())
    }


def print_topics(facts: dict[str, dict[str, Any]]) -> None:
    """Print the topics as a table."""
    from rich.table import Table

    table = Table()
    table.add_column("topic")
    table.add_column("messages", justify="right")
    table.add_column("lag")
    for name, found in facts.items():
        table.add_row(
            name,
            str(found["messages"]),
            ", ".join(f"{group} {lag}" for group, lag in found["lag"].items()),
        )
    print_table(table)
