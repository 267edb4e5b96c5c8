"""Measure what libraries take to download pictures, in turn, beside our `Fetcher`.

    python benchmarks/store_clients.py [--urls 1500] [--rounds 3] [--other PYTHON]

Each client runs in a process of its own, with 8 threads that take URLs from one list and hold each
whole body in memory. `--other` names the Python of another checkout, whose `Fetcher` is measured
too: our client before and after a change in one run. The libraries run bare, without a guard on
addresses, robots.txt or budgets; ours has all of them. CPU is user + system time of the process
from the first request to the last.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from store_corpus import build
from store_web import web

Get = Callable[[str], bytes]

MAX_BYTES = 33_554_432
_HEADERS = {"User-Agent": "celebcollect-bench", "Accept-Encoding": "identity"}


def fetcher() -> Callable[[], Get]:
    """Our own download, whole."""
    from celebcollect.web.fetch import Fetcher

    try:
        config = import_module("celebcollect.config.sections")
    except ImportError:  # a checkout of before 2026-11-27
        config = import_module("celebcollect.config")
    store = config.StoreConfig(allow_private_addresses=True, per_host=8)
    ours = Fetcher(store, config.HttpConfig())
    return lambda: lambda url: ours.get(url).data


def libcurl() -> Callable[[], Get]:
    """pycurl, a handle for each thread, with the hook before each socket."""
    import io
    import socket

    import pycurl

    def make() -> Get:
        curl = pycurl.Curl()
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in _HEADERS.items()])
        curl.setopt(pycurl.OPENSOCKETFUNCTION, lambda _, place: socket.socket(*place[:3]))

        def get(url: str) -> bytes:
            body = io.BytesIO()
            curl.setopt(pycurl.URL, url)
            curl.setopt(pycurl.WRITEFUNCTION, body.write)
            curl.perform()
            return body.getvalue()

        return get

    return make


def urllib3() -> Callable[[], Get]:
    """urllib3, one pool manager, streamed with a cap."""
    import urllib3

    pools = urllib3.PoolManager(maxsize=8, headers=_HEADERS)

    def get(url: str) -> bytes:
        answer = pools.request("GET", url, preload_content=False, decode_content=False)
        body = answer.read(MAX_BYTES, decode_content=False)
        answer.release_conn()
        return body

    return lambda: get


def httpcore() -> Callable[[], Get]:
    """httpcore, which httpx stands on, with a pool for each thread."""
    import httpcore

    headers = list(_HEADERS.items())

    def make() -> Get:
        pool = httpcore.ConnectionPool()

        def get(url: str) -> bytes:
            with pool.stream("GET", url, headers=headers) as answer:
                return b"".join(answer.iter_stream())

        return get

    return make


def httpx() -> Callable[[], Get]:
    """httpx, a client for each thread."""
    import httpx

    def make() -> Get:
        client = httpx.Client(headers=_HEADERS, trust_env=False)

        def get(url: str) -> bytes:
            with client.stream("GET", url) as answer:
                return b"".join(answer.iter_raw())

        return get

    return make


CLIENTS = {make.__name__: make for make in (fetcher, libcurl, urllib3, httpcore, httpx)}


def run_client(name: str, urls: list[str], threads: int) -> dict[str, float]:
    """Download everything with one client and return what it took."""
    make = CLIENTS[name]()
    left = iter(urls)
    lock = threading.Lock()
    sizes: list[int] = []

    def work() -> None:
        get = make()
        while True:
            with lock:
                url = next(left, None)
            if url is None:
                return
            sizes.append(len(get(url)))

    workers = [threading.Thread(target=work) for _ in range(threads)]
    before, begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "pictures": len(sizes),
        "bytes": sum(sizes),
        "cpu_ms": cpu_s * 1000 / len(sizes),
        "wall_ms": (time.perf_counter() - begun) * 1000 / len(sizes),
        "peak_mb": after.ru_maxrss / 1024,
    }


def compare(options: argparse.Namespace) -> None:
    """Run all clients in turn and print medians and the ratio to the first one."""
    pythons = {name: (sys.executable, name) for name in CLIENTS}
    if options.other:
        pythons = {"other fetcher": (options.other, "fetcher"), **pythons}
    found: dict[str, list[dict[str, float]]] = {name: [] for name in pythons}
    options.folder.mkdir(parents=True, exist_ok=True)
    names = build(options.folder / "corpus", max(2000, options.urls))[: options.urls]
    with web(options.folder, options.folder / "corpus") as port:
        listing = options.folder / "client-urls.txt"
        listing.write_text("\n".join(f"http://127.0.0.1:{port}/{name}" for name in names))
        for number in range(options.rounds):
            turn = list(pythons.items())
            for name, (python, client) in turn if number % 2 else reversed(turn):
                command = [python, __file__, "--client", client, "--list", str(listing)]
                out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                found[name].append(json.loads(out))
                print(f"round {number + 1} {name:14} {out.strip()}", flush=True)
    base = found[next(iter(found))]
    print(f"\n{'client':14} {'CPU ms':>7} {'wall ms':>8} {'ratio of CPU':>20}")
    for name, runs in found.items():
        ratios = [one["cpu_ms"] / first["cpu_ms"] for one, first in zip(runs, base, strict=True)]
        print(
            f"{name:14} {statistics.median(run['cpu_ms'] for run in runs):7.2f}"
            f" {statistics.median(run['wall_ms'] for run in runs):8.2f}"
            f" {statistics.median(ratios):7.2f} [{min(ratios):.2f}-{max(ratios):.2f}]"
        )


def main() -> None:
    """Parse the arguments and run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--urls", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--other", help="the Python of another checkout")
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir()) / "celebcollect-bench"
    )
    parser.add_argument("--client", choices=CLIENTS, help=argparse.SUPPRESS)
    parser.add_argument("--list", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        urls = options.list.read_text().split()
        print(json.dumps(run_client(options.client, urls, options.threads)))
    else:
        compare(options)


if __name__ == "__main__":
    main()
