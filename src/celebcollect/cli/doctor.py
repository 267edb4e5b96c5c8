"""`doctor`: look at what a run will need."""

import sys

import typer

from celebcollect.cli.session import JsonOption, session_of
from celebcollect.cli.text import print_json, printable
from celebcollect.domain.errors import ServiceError


def doctor(context: typer.Context, as_json: JsonOption = False) -> None:
    """
    Look at everything that a run will need and print what works, what does not, and what to do.

    Example: celebcollect doctor
    """
    from celebcollect.doctor import Verdict, examine

    missing = []
    facts = []
    with session_of(context).app(looking=True) as app:
        for finding in examine(app):
            facts.append(
                {
                    "name": finding.name,
                    "verdict": finding.verdict.value,
                    "what": finding.what,
                    "hint": finding.hint,
                }
            )
            missing += [finding.name] if finding.verdict is Verdict.MISSING else []
            if not as_json:
                hint = f"\n{'':22}{finding.hint}" if finding.hint else ""
                sys.stdout.write(
                    f"{finding.verdict.value:8}{finding.name:14}{printable(finding.what)}{hint}\n"
                )
                sys.stdout.flush()
    if as_json:
        print_json(facts)
    if missing:
        raise ServiceError(
            f"needed and not there: {', '.join(missing)}",
            hint="Each line above that begins with `missing` says what to do.",
        )
