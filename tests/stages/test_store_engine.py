"""How many downloads there are, and how much memory they may take."""

from __future__ import annotations

import io
import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import pytest
from PIL import Image

from celebcollect.stages.store.memory_budget import MemoryBudget, Reservation
from picture_web import Pieces, Request, answer, picture, serve
from stages.storing import VERIFIED, Bench, candidate


def test_more_downloads_begin_while_hosts_keep_the_decoders_waiting(tmp_path: Path) -> None:
    """
    Two workers become eight where hosts are far.

    Here each host answers only when eight pictures are asked for at once.
    """
    together = threading.Barrier(8)

    def respond(request: Request) -> Pieces:
        together.wait(60)
        return answer(picture(int(request.path[1:])))

    with serve("0.0.0.0") as web:
        web.routes = {f"/{n}": respond for n in range(16)}
        bench = Bench(tmp_path, workers=2, per_host=2, respect_robots=False)
        bench.publish(
            VERIFIED, *(candidate(web.url(f"/{n}", f"127.0.0.{n % 4 + 1}")) for n in range(16))
        )

        tally = bench.store(timeout_s=60)
        bench.close()

    assert tally["stored"] == 16
    assert web.open_most == 8, "no more than `per_host` to each of four hosts"


def test_pictures_larger_than_all_room_come_one_after_another(tmp_path: Path) -> None:
    """
    All downloads share the memory for `workers` pictures of the largest size.

    Nobody waits for ever.
    """
    data = picture(1, (300, 300), quality=95)
    with serve("0.0.0.0") as web:
        web.routes = {f"/{n}": answer(picture(n, (300, 300), quality=95)) for n in range(12)}
        web.routes["/chunked"] = (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
            % (len(data), data)
        )
        bench = Bench(
            tmp_path,
            workers=1,
            per_host=1,
            max_bytes=max(len(picture(n, (300, 300), quality=95)) for n in range(12)),
        )
        paths = [*(f"/{n}" for n in range(12)), "/chunked"]
        bench.publish(
            VERIFIED,
            *(candidate(web.url(path, f"127.0.0.{n % 6 + 1}")) for n, path in enumerate(paths)),
        )

        assert bench.store()["stored"] == 13
        bench.close()


@pytest.mark.parametrize(
    "head", [b"Transfer-Encoding: chunked\r\n\r\n100\r\n", b"Content-Length: 2000000\r\n\r\n"]
)
def test_hosts_that_promise_much_and_send_nothing_do_not_hold_the_others(
    tmp_path: Path, head: bytes
) -> None:
    """
    Silent downloads leave the small pictures of other hosts their way.

    There are as many of them as there is memory for, and their hosts keep their name.
    """
    begun, last_came = time.monotonic(), threading.Event()
    waited_s: list[float] = []

    def silent(_: Request) -> Iterator[bytes]:
        if last_came.is_set():
            yield answer(status=404)
        else:
            yield b"HTTP/1.1 200 OK\r\n" + head
            last_came.wait(60)

    def last(request: Request) -> Pieces:
        waited_s.append(time.monotonic() - begun)
        last_came.set()
        return answer(picture(int(request.path[1:])))

    with serve("0.0.0.0") as web:
        web.routes = {
            **{f"/slow{n}": silent for n in range(4)},
            **{f"/{n}": answer(picture(n)) for n in range(7)},
            "/7": last,
        }
        bench = Bench(tmp_path, workers=2, per_host=2, max_bytes=2_000_000, respect_robots=False)
        bench.publish(
            VERIFIED, *(candidate(web.url(f"/slow{n}", f"127.0.0.{n % 2 + 1}")) for n in range(4))
        )
        bench.publish(
            VERIFIED, *(candidate(web.url(f"/{n}", f"127.0.0.{n % 2 + 3}")) for n in range(8))
        )

        tally = bench.store(timeout_s=30)
        bench.close()

    assert waited_s[0] < 25, "they came before the silent ones were given up"
    assert tally["stored"] == 8


@pytest.mark.parametrize("head", [b"Transfer-Encoding: chunked", b"Content-Length: 2900000"])
def test_large_downloads_that_drip_do_not_hold_up_others(tmp_path: Path, head: bytes) -> None:
    """
    Whoever sends a megabyte and then next to nothing holds that megabyte, not what it promised.

    There are more of them than there is memory for at their largest size.
    """
    last_came = threading.Event()
    begun, waited_s = time.monotonic(), [0.0]

    def dripping(_: Request) -> Iterator[bytes]:
        if last_came.is_set():
            yield answer(status=404)
            return
        yield b"HTTP/1.1 200 OK\r\n" + head + b"\r\n\r\n"
        size, end = 1_100_000, b"\r\n" if head.startswith(b"T") else b""
        yield (b"%x\r\n" % size if end else b"") + b"x" * size + end
        last_came.wait(60)

    def large(number: int) -> bytes:
        noise = random.Random(number).randbytes(640 * 640 * 3)
        file = io.BytesIO()
        Image.frombytes("RGB", (640, 640), noise).save(file, "PNG", compress_level=0)
        return file.getvalue()

    def last(_: Request) -> Pieces:
        waited_s[0] = time.monotonic() - begun
        last_came.set()
        return answer(large(3))

    with serve("0.0.0.0") as web:
        web.routes = {
            **{f"/slow{n}": dripping for n in range(4)},
            **{f"/{n}": answer(large(n)) for n in range(3)},
            "/3": last,
        }
        bench = Bench(tmp_path, workers=2, per_host=2, max_bytes=3_000_000, respect_robots=False)
        slow = (candidate(web.url(f"/slow{n}", f"127.0.0.{n % 2 + 1}")) for n in range(4))
        bench.publish(VERIFIED, *slow)
        bench.publish(VERIFIED, *(candidate(web.url(f"/{n}", "127.0.0.3")) for n in range(4)))

        tally = bench.store(timeout_s=30)
        bench.close()

    assert waited_s[0] < 25, "they came before the dripping ones were given up"
    assert tally["stored"] == 4


def test_a_reservation_waits_until_there_is_memory() -> None:
    """More than there are in all counts as all."""
    budget = MemoryBudget(100)
    first, second = Reservation(budget), Reservation(budget)
    first.take(60, 60)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(second.take, 10**9, 10**9)
        assert wait([waiting], timeout=0.2).not_done

        first.give_back()
        waiting.result(timeout=60)
    second.give_back()
    second.give_back()
    Reservation(budget).take(100, 100)


def test_reservations_that_grow_never_wait_for_each_other() -> None:
    """
    Two halves that both want the whole would wait for ever: the second half is not given.

    Who needs no more than is left goes on meanwhile.
    """
    budget = MemoryBudget(100)
    first, second, small = (Reservation(budget) for _ in range(3))
    first.take(50, 100)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(second.take, 50, 100)
        small.take(10, 10)
        small.give_back()
        assert wait([waiting], timeout=0.2).not_done

        first.take(100, 100)
        first.give_back()
        waiting.result(timeout=60)
    second.take(100, 100)
    assert second.held == 100
    second.give_back()


def test_all_downloads_end_whatever_they_ask_for() -> None:
    """Many at once, each growing step by step to a size of its own, all get what they need."""
    budget = MemoryBudget(100)
    chance = random.Random(8)
    sizes = [chance.randint(1, 130) for _ in range(60)]

    def grow(size: int) -> None:
        reservation = Reservation(budget)
        for step in range(10, size + 10, 10):
            reservation.take(min(step, size), size)
        reservation.give_back()

    with ThreadPoolExecutor(12) as pool:
        jobs = [pool.submit(grow, size) for size in sizes]
        assert not wait(jobs, timeout=60).not_done

    Reservation(budget).take(100, 100)
