"""Hold what the program made of the planted pictures against the plan, and show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from celebcollect.demo.cast import CAST, PlantedPicture
from celebcollect.demo.tmdb import tmdb_file


@dataclass(frozen=True)
class Outcome:
    """What became of what was planted."""

    accepted: Counter[str]
    """By QID."""
    left_out: Mapping[str, Counter[str]]
    """Reasons by QID."""
    wrong: Sequence[str]
    """What ended otherwise than planned."""


def judge(
    planted: Sequence[PlantedPicture],
    rows: Mapping[str, Mapping[str, Any]],
    sources: Collection[str],
    *,
    faces: bool,
) -> Outcome:
    """
    Compare what was planted with what became of it.

    Args:
        planted: All pictures of the small web.
        rows: What `images --json` says, by path on the small web.
        sources: Those that the program could use here.
        faces: The program looked at faces.
    """
    accepted: Counter[str] = Counter()
    left_out: dict[str, Counter[str]] = {player.qid: Counter() for player in CAST}
    by_sha = Counter(row["sha256"] for row in rows.values() if row["status"] == "accepted")
    wrong = [f"{sha} was accepted {n} times" for sha, n in by_sha.items() if n > 1]
    for picture in planted:
        row = rows.get(_asked_path(picture))
        if row is None:
            if picture.source in sources:
                wrong.append(f"{picture.path} was never collected")
            continue
        if row["status"] == "accepted":
            accepted[picture.player.qid] += 1
        else:
            left_out[picture.player.qid][row["reason"]] += 1
        difference = _difference(picture, row, faces=faces)
        if difference:
            wrong.append(difference)
    return Outcome(accepted, left_out, wrong)


def _difference(picture: PlantedPicture, row: Mapping[str, Any], *, faces: bool) -> str | None:
    # Of two files with the same bytes either may be kept; which one is told by their URLs, not by
    # the plan.
    if picture.kind == "portrait" and picture.shot == 0:
        return None
    must = picture.must_be_accepted(faces=faces)
    if (row["status"] == "accepted") != must:
        return f"{picture.path} ({picture.kind}) is {row['status']} {row['reason'] or ''}".rstrip()
    if not must and row["reason"] not in picture.reasons:
        return f"{picture.path} ({picture.kind}) was left out for {row['reason']}"
    return None


def _asked_path(picture: PlantedPicture) -> str:
    """Return the path under which the program knows a picture."""
    return f"/t/p/original{tmdb_file(picture)}" if picture.source == "tmdb" else picture.path


def show(outcome: Outcome) -> None:
    """Print the outcome as a table."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title="What became of the planted pictures", title_justify="left")
    for column in ("person", "accepted", "left out", "why"):
        table.add_column(column, justify="right" if column in ("accepted", "left out") else "left")
    for player in CAST:
        reasons = outcome.left_out[player.qid]
        why = ", ".join(f"{n} {reason}" for reason, n in sorted(reasons.items()))
        table.add_row(
            Text(player.name), str(outcome.accepted[player.qid]), str(reasons.total()), Text(why)
        )
    everything: Counter[str] = sum(outcome.left_out.values(), Counter())
    total = ", ".join(f"{n} {reason}" for reason, n in everything.most_common())
    table.add_section()
    table.add_row(
        f"{len(CAST)} people", str(outcome.accepted.total()), str(everything.total()), total
    )
    console = Console()
    # Without a terminal a line is as wide as it must be, so that nothing is cut.
    (console if console.is_terminal else Console(width=240)).print(table)
