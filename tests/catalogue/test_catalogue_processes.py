"""What every catalogue promises when several processes use it at once, and some of them die."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from contextlib import closing
from typing import Any

import pytest

from catalogue.catalogue_backends import Backend
from catalogue.catalogue_samples import candidate, person, stored
from celebcollect.disk.owners import this_owner
from celebcollect.domain.records import Status

pytestmark = pytest.mark.slow

PEOPLE = 100


def answer(process: subprocess.Popen[str]) -> Any:
    """Return the next thing that a process says."""
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def start(backend: Backend, n: int, task: str, *arguments: str) -> list[subprocess.Popen[str]]:
    """Start processes that all begin at the same moment."""
    processes = [
        backend.process(task, *(argument.format(n=turn) for argument in arguments))
        for turn in range(n)
    ]
    for process in processes:
        assert answer(process) == "ready"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    return processes


def test_the_claims_of_a_killed_process_are_free_at_once(shared_backend: Backend) -> None:
    """
    What a live process holds is held.

    The moment it is killed, others have it, long before its lease ends.
    """
    holder = shared_backend.process("hold", "clean", "Q1", "Q2")
    with closing(shared_backend.open()) as catalogue:
        held = answer(holder)
        meanwhile = catalogue.claim("clean", ["Q1", "Q3"], owner=this_owner(), lease_s=60)
        left_out = catalogue.need_search("clean", target=1)
        holder.send_signal(signal.SIGKILL)
        holder.communicate()

        afterwards = catalogue.claim("clean", ["Q1", "Q2"], owner=this_owner(), lease_s=60)

    assert (held, meanwhile, left_out) == (["Q1", "Q2"], ["Q3"], [])
    assert afterwards == ["Q1", "Q2"]


def test_people_claimed_by_a_killed_scraper_are_searched_by_others(shared_backend: Backend) -> None:
    """Whom a live scraper has is not searched next, whom a killed one had is."""
    with closing(shared_backend.open()) as catalogue:
        catalogue.save_people([person(1), person(2)])
        holder = shared_backend.process("hold", "search:tmdb", "Q1")
        answer(holder)
        meanwhile = catalogue.need_search("tmdb", target=1)
        holder.kill()
        holder.communicate()

        assert meanwhile == ["Q2"]
        assert catalogue.need_search("tmdb", target=1) == ["Q1", "Q2"]


def test_each_person_is_claimed_by_exactly_one_of_four(shared_backend: Backend) -> None:
    """Four processes that claim the same hundred people share them without overlap or gap."""
    shares = [
        answer(process) for process in start(shared_backend, 4, "take_all", "clean", str(PEOPLE))
    ]

    assert sorted(qid for share in shares for qid in share) == sorted(
        f"Q{n}" for n in range(1, PEOPLE + 1)
    )


def test_an_expired_claim_goes_to_exactly_one_of_four(shared_backend: Backend) -> None:
    """Claims that a lost machine left behind are taken over by one process each."""
    with closing(shared_backend.open()) as catalogue:
        catalogue.claim(
            "clean", [f"Q{n}" for n in range(1, PEOPLE + 1)], owner="lost|1|1", lease_s=-1
        )

    shares = [
        answer(process) for process in start(shared_backend, 4, "take_all", "clean", str(PEOPLE))
    ]

    assert sorted(qid for share in shares for qid in share) == sorted(
        f"Q{n}" for n in range(1, PEOPLE + 1)
    )


def test_several_writers_lose_and_double_nothing(shared_backend: Backend) -> None:
    """
    Three processes that write the same rows leave each exactly once.

    Every person is in need of cleaning.
    """
    people, pictures = 20, 10
    new = [
        answer(process)
        for process in start(shared_backend, 3, "write", "{n}", str(people), str(pictures))
    ]

    with closing(shared_backend.open()) as catalogue:
        counts = catalogue.counts()
        needy = catalogue.need_cleaning("v1")
        rows = list(catalogue.images())

    assert sum(new) == people * pictures
    assert len(rows) == len({row.id for row in rows}) == people * pictures
    assert counts.celebrities == people
    assert {status: n for status, n in counts.images.items() if n} == {
        Status.STORED: people * 8,
        Status.FAILED: people * 2,
    }
    assert len(needy) == people


def test_what_was_written_survives_kill_9(shared_backend: Backend) -> None:
    """Every row that a killed process reported is there, and no half of a person or row."""
    process = shared_backend.process("insert_forever", "1")
    last = max(answer(process) for _ in range(30))
    process.kill()
    told, _ = process.communicate()
    reported = max([last, *map(int, told.split())])

    with closing(shared_backend.open()) as catalogue:
        rows = [row.qid for row in catalogue.images()]
        people = {found.qid for found in catalogue.people()}
        counts = catalogue.counts()

    assert [f"Q{n}" for n in range(1, reported + 1)] == rows[:reported]
    assert len(rows) <= reported + 1
    assert set(rows) <= people
    assert counts.images[Status.VERIFIED] == len(rows)


def test_two_handles_see_each_other(shared_backend: Backend) -> None:
    """What one handle writes, another sees at once, the race of cleaning included."""
    with closing(shared_backend.open()) as cleaner, closing(shared_backend.open()) as storer:
        storer.record_stored([stored(1, 0)])
        cleaning = cleaner.need_cleaning("v1")[0]
        storer.record_stored([stored(1, 1)])
        cleaner.record_cleaned(cleaning, "v1")

        assert [one.qid for one in storer.need_cleaning("v1")] == ["Q1"]
        assert len(cleaner.person_images("Q1")) == 2


def test_many_processes_may_open_a_new_catalogue_at_once(shared_backend: Backend) -> None:
    """Workers that all start first, at the same moment, agree on one catalogue."""
    processes = [shared_backend.process("open_only") for _ in range(6)]

    results = [(answer(process), process.wait(30)) for process in processes]

    assert results == [(0, 0)] * 6


def test_rows_come_in_order_while_another_process_writes(shared_backend: Backend) -> None:
    """
    A walk over the images stays in order and finds everything old.

    Another process adds rows as fast as it can.
    """
    with closing(shared_backend.open()) as catalogue:
        catalogue.add_verified([candidate(n, place) for n in range(1, 40) for place in range(40)])
        writer = shared_backend.process("insert_forever", "20")
        answer(writer)
        walked_until = time.monotonic() + 1
        walks = 0
        while time.monotonic() < walked_until:
            ids = [(int(row.qid[1:]), row.id) for row in catalogue.images()]
            walks += 1

            assert ids == sorted(set(ids))
            assert len(ids) >= 39 * 40

    assert walks
