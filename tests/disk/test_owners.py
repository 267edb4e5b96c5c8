"""Who owns a claim, and whether the owner still lives."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from celebcollect.disk import owners


@pytest.fixture
def fresh_host() -> Iterator[None]:
    """Let the host be found out anew, before and after the test."""
    owners.this_host.cache_clear()
    yield
    owners.this_host.cache_clear()


def owner_of(process: subprocess.Popen[bytes]) -> str:
    """Return the owner text of another process, as it would write it itself."""
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    """Another live process that has said who it is."""
    code = (
        "import sys; from celebcollect.disk import owners; print(owners.this_owner(),"
        " flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        yield process
        process.kill()


def test_a_live_process_is_not_dead(other: subprocess.Popen[bytes]) -> None:
    """The own process and another running one are alive, and different."""
    owner = owner_of(other)

    assert not owners.is_dead(owner)
    assert not owners.is_dead(owners.this_owner())
    assert owner != owners.this_owner()


def test_a_killed_process_is_dead_before_anybody_collects_it(
    other: subprocess.Popen[bytes],
) -> None:
    """A killed process counts as dead although its parent has not asked after it yet."""
    owner = owner_of(other)
    other.kill()
    # Waits for the end without collecting the process: what is left is a zombie.
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)

    assert owners.is_dead(owner)
    assert owners.dead_owners([owner, owners.this_owner(), owner]) == {owner}


def test_a_reused_process_id_does_not_keep_a_claim() -> None:
    """An owner with the id of a live process but another start time is dead."""
    assert owners.is_dead(f"{owners.this_host()}|{os.getpid()}|1")


@pytest.mark.parametrize(
    "owner",
    [
        "",
        "elsewhere|1|1",
        "nonsense",
        "{host}",
        "{host}||",
        "{host}|x|1",
        "{host}|²|1",
        "{host}|-1|5",
        "{host}|{live}|",
    ],
)
def test_what_cannot_be_known_is_not_dead(owner: str) -> None:
    """
    Owners of other machines and texts that nobody understands count as alive.

    Only their lease ends them.
    """
    assert not owners.is_dead(owner.format(host=owners.this_host(), live=os.getpid()))


@pytest.mark.usefixtures("fresh_host")
def test_containers_with_one_host_name_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Two process id namespaces are two hosts, whatever the host name.

    No host name breaks the text.
    """
    monkeypatch.setattr(socket, "gethostname", lambda: "work|er 1")
    monkeypatch.setattr(Path, "readlink", lambda _: Path("pid:[4026539999]"))
    container = owners.this_host()
    owners.this_host.cache_clear()
    monkeypatch.setattr(Path, "readlink", lambda _: Path("pid:[4026531836]"))
    machine = owners.this_host()

    assert container == "work_er_1.4026539999"
    assert machine != container
    assert owners.this_owner().count("|") == 2
