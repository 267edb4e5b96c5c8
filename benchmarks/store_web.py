"""Serve the corpus with nginx, and let it come late as from far away where asked for."""

from __future__ import annotations

import heapq
import selectors
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CONFIGURATION = """
worker_processes 1; daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx-error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000;
  types {{ image/jpeg jpg; image/webp webp; image/png png; }}
  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
  uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
  server {{ listen 0.0.0.0:{port}; root {corpus}; }}
}}
"""


@contextmanager
def web(folder: Path, corpus: Path) -> Iterator[int]:
    """Run nginx on the corpus and yield its port."""
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    if not Path(program).is_file():
        sys.exit("nginx is missing: apt-get install nginx-light")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, corpus=corpus, port=port))
    # Started by root, nginx gives its work to another user, who must be able to read the corpus.
    for part in (folder, corpus):
        part.chmod(0o755)
    process = subprocess.Popen(
        [program, "-c", configuration, "-p", folder, "-e", folder / "nginx-error.log"]
    )
    try:
        _until_it_answers(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def _until_it_answers(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    sys.exit("nginx does not answer")


@contextmanager
def slow_door(port: int, latency_ms: float) -> Iterator[int]:
    """Yield a port before `port` that is `latency_ms` away, half of it in each direction."""
    if not latency_ms:
        yield port
        return
    with socket.create_server(("0.0.0.0", 0), backlog=1024) as listener:
        door = _Door(listener, port, latency_ms / 2000)
        thread = threading.Thread(target=door.run, daemon=True)
        thread.start()
        yield int(listener.getsockname()[1])
        door.stopping = True
        thread.join(5)


class _Door:
    """One thread that carries bytes both ways, late."""

    def __init__(self, listener: socket.socket, port: int, delay_s: float) -> None:
        self.stopping = False
        self._listener = listener
        self._port = port
        self._delay_s = delay_s
        self._selector = selectors.DefaultSelector()
        self._late: list[tuple[float, int, socket.socket, bytes]] = []
        self._number = 0

    def run(self) -> None:
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        while not self.stopping:
            wait_s = max(self._late[0][0] - time.monotonic(), 0) if self._late else 0.2
            for key, _ in self._selector.select(min(wait_s, 0.2)):
                if key.data is None:
                    self._open()
                else:
                    self._read(key.fileobj, key.data)  # type: ignore[arg-type]
            while self._late and self._late[0][0] <= time.monotonic():
                _, _, target, data = heapq.heappop(self._late)
                self._write(target, data)

    def _open(self) -> None:
        client, _ = self._listener.accept()
        server = socket.create_connection(("127.0.0.1", self._port))
        for one, other in ((client, server), (server, client)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._selector.register(
                one, selectors.EVENT_READ, [other, 2 * self._delay_s if one is client else 0.0]
            )

    def _read(self, source: socket.socket, peer: list[Any]) -> None:
        target, extra_s = peer
        try:
            data = source.recv(262_144)
        except OSError:
            data = b""
        if not data:
            self._selector.unregister(source)
        # The first bytes of a client come later by the round trip that opening its connection would
        # have taken.
        peer[1] = 0.0
        self._number += 1
        heapq.heappush(
            self._late,
            (time.monotonic() + self._delay_s + extra_s, self._number, target, data),
        )

    def _write(self, target: socket.socket, data: bytes) -> None:
        try:
            target.setblocking(True)
            if data:
                target.sendall(data)
            else:
                target.shutdown(socket.SHUT_WR)
        except OSError:
            pass
