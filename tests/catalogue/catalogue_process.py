"""One process of many on a catalogue.

Catalogue_process.py KIND WHERE DATABASE TASK ARGUMENTS, results as JSON lines.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

from catalogue.catalogue_backends import Backend
from catalogue.catalogue_samples import candidate, failed, person, stored
from celebcollect.catalogue.base import Catalogue
from celebcollect.disk.owners import this_owner


def say(value: object) -> None:
    """Print one result for the test to read."""
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


def hold(catalogue: Catalogue, task: str, *qids: str) -> None:
    """Claim people and keep them until the process is ended."""
    say(catalogue.claim(task, qids, owner=this_owner(), lease_s=3600))
    sys.stdin.read()


def take_all(catalogue: Catalogue, task: str, people: str) -> None:
    """
    Wait for the start, then claim Q1..Qn one by one.

    Report whom this process got, and keep them until the process is ended.
    """
    say("ready")
    sys.stdin.readline()
    say(
        [
            qid
            for n in range(1, int(people) + 1)
            for qid in catalogue.claim(task, [f"Q{n}"], owner=this_owner(), lease_s=60)
        ]
    )
    # the claims of a process that has ended are free at once: a slower one would rightly take them
    sys.stdin.read()


def write(catalogue: Catalogue, first: str, people: str, pictures: str) -> None:
    """
    Wait for the start, then take the same candidates as every other writer.

    Each writer begins at another place.
    """
    say("ready")
    sys.stdin.readline()
    new = 0
    for turn in range(int(people)):
        number = (int(first) + turn) % int(people) + 1
        catalogue.save_people([person(number)])
        new += catalogue.add_verified([candidate(number, place) for place in range(int(pictures))])
        catalogue.record_stored(
            [
                (failed if place % 5 == 0 else stored)(number, place)
                for place in range(int(pictures))
            ]
        )
    say(new)


def insert_forever(catalogue: Catalogue, first: str) -> None:
    """Add people with a picture each until the process is ended; tell of each that is done."""
    number = int(first)
    while True:
        catalogue.add_verified([candidate(number, 0)])
        say(number)
        number += 1


def open_only(catalogue: Catalogue) -> None:
    """Report that the catalogue could be opened."""
    say(catalogue.counts().celebrities)


if __name__ == "__main__":
    kind, where, database, task, *arguments = sys.argv[1:]
    tasks: dict[str, Callable[..., None]] = {
        "hold": hold,
        "take_all": take_all,
        "write": write,
        "insert_forever": insert_forever,
        "open_only": open_only,
    }
    tasks[task](Backend(kind, where, database).open(), *arguments)
