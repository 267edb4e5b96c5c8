"""Hold what the program made of the planted pictures against the plan, and show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from celebcollect.demo.cast import CAST, LOOKED_LIKE, Player, Special
from celebcollect.demo.knowledge import portrait_in
from celebcollect.demo.looks import SKIN, complexion
from celebcollect.demo.planted import PlantedPicture
from celebcollect.demo.tmdb import tmdb_file
from celebcollect.domain.records import SAME_FACE


@dataclass(frozen=True)
class Outcome:
    """What became of what was planted."""

    accepted: Counter[str]
    """By QID."""
    left_out: Mapping[str, Counter[str]]
    """Reasons by QID."""
    in_doubt: Counter[str]
    """Of those that were accepted, by QID."""
    portraits: Mapping[str, str]
    """What became of the file that Wikidata names, by QID."""
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
    in_doubt: Counter[str] = Counter()
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
            in_doubt[picture.player.qid] += row["reason"] == SAME_FACE
        else:
            left_out[picture.player.qid][row["reason"]] += 1
        difference = _difference(picture, row, faces=faces)
        if difference:
            wrong.append(difference)
    portraits = {}
    for player in CAST:
        portrait = portrait_in(one for one in planted if one.player == player)
        row = rows.get(_asked_path(portrait), {"status": "not collected", "reason": None})
        portraits[player.qid] = row["reason"] or row["status"]
    return Outcome(accepted, left_out, in_doubt, portraits, wrong)


def _difference(picture: PlantedPicture, row: Mapping[str, Any], *, faces: bool) -> str | None:
    # Of two files with the same bytes either may be kept; which one is told by their URLs, not by
    # the plan.
    if picture.kind == "portrait" and picture.shot == 0:
        return None
    must = picture.must_be_accepted(faces=faces)
    if (row["status"] == "accepted") != must:
        return f"{picture.path} ({picture.kind}) is {row['status']} {row['reason'] or ''}".rstrip()
    if must and (row["reason"] == SAME_FACE) != picture.must_be_in_doubt(faces=faces):
        said = "is in doubt" if row["reason"] == SAME_FACE else "is not in doubt"
        return f"{picture.path} ({picture.kind}) {said}"
    if not must and row["reason"] not in picture.reasons:
        return f"{picture.path} ({picture.kind}) was left out for {row['reason']}"
    return None


def _asked_path(picture: PlantedPicture) -> str:
    """Return the path under which the program knows a picture."""
    return f"/t/p/original{tmdb_file(picture)}" if picture.source == "tmdb" else picture.path


def show(outcome: Outcome, *, faces: bool) -> None:
    """Print the outcome as a table: of each person, by the tone of the skin, and what was hard."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title="What became of the planted pictures", title_justify="left")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column in ("who", "why") else "right")
    for player in CAST:
        reasons = outcome.left_out[player.qid]
        why = ", ".join(f"{n} {reason}" for reason, n in sorted(reasons.items()))
        skin = str(complexion(player.looks))
        table.add_row(Text(player.name), skin, *_numbers(outcome, [player]), Text(why))
    table.add_section()
    tones = {player: complexion(player.looks) for player in CAST}
    for tone in sorted(set(tones.values())):
        some = [player for player in CAST if tones[player] == tone]
        count = f"{len(some)} people" if len(some) > 1 else "1 person"
        table.add_row(f"skin {tone} of {len(SKIN)}", "", *_numbers(outcome, some), count)
    table.add_section()
    for player in CAST:
        if player.special:
            said = Text(_told(outcome, player, faces=faces))
            table.add_row(Text(player.name), "", *_numbers(outcome, [player]), said)
    everything: Counter[str] = sum(outcome.left_out.values(), Counter())
    total = ", ".join(f"{n} {reason}" for reason, n in everything.most_common())
    table.add_section()
    table.add_row(f"{len(CAST)} people", "", *_numbers(outcome, CAST), total)
    console = Console()
    # Without a terminal a line is as wide as it must be, so that nothing is cut.
    (console if console.is_terminal else Console(width=240)).print(table)


COLUMNS = ("who", "skin", "accepted", "in doubt", "left out", "why")


def _numbers(outcome: Outcome, players: Sequence[Player]) -> tuple[str, str, str]:
    """Return how many pictures of some people were accepted, are in doubt, and were left out."""
    qids = [player.qid for player in players]
    return (
        str(sum(outcome.accepted[qid] for qid in qids)),
        str(sum(outcome.in_doubt[qid] for qid in qids)),
        str(sum(outcome.left_out[qid].total() for qid in qids)),
    )


def _told(outcome: Outcome, player: Player, *, faces: bool) -> str:
    """Return what became of what makes an album hard."""
    portrait = outcome.portraits[player.qid]
    others = f"{outcome.left_out[player.qid]['other_person']} of other people left out by it"
    match player.special:
        case Special.RENAMED:
            became = f"renamed portrait: found under its new name, {portrait}"
        case Special.LARGER:
            became = f"larger copy of the portrait: kept for it; the smaller one {portrait}"
        case _:
            alike = f"looks like {LOOKED_LIKE.name}, no portrait"
            if not faces:
                return f"{alike}: nobody looked"
            theirs = outcome.in_doubt[LOOKED_LIKE.qid]
            return f"{alike}: {outcome.in_doubt[player.qid]} kept, in doubt; {theirs} of the other"
    return f"{became}; {others}" if faces else became
