"""What collections of several sizes need, from measured costs: the formulae of docs/scale.md."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

CANDIDATES = 40
"""Per person that get as far as `store`: an assumption, twice `run.target_images`."""

KEPT = 20
"""Per person that `clean` accepts (`run.target_images`)."""

PICTURE_BYTES = 254_000
"""Mean of the benchmark's pictures."""

STORE_CPU_S = 0.009
CLEAN_CPU_S = 0.096
"""Per picture on a quiet machine: 89 ms of faces, 6.3 of quality, 0.25 of payload, 0.08 of copies
(docs/benchmarks.md)."""

VALIDATE_CPU_S = 0.0002
ROW_BYTES = 880
"""Of a picture in the embedded catalogue with its indexes: 880 MB for a million."""

MESSAGE_BYTES = 500
MESSAGES = 2 * CANDIDATES + KEPT
"""Per person: on a source's topic, on urlsVerifie, on dataclean."""

REPLICAS = 3
BUSIEST_HOST = 0.4
"""Share of the pictures that one host serves: an assumption; TMDB and Commons have one each."""

DOWNLOAD_S = 0.3
"""Time of a download from a far host, transfer included: an assumption."""

CORES = 8
"""Of a machine of the cluster."""

USE = 0.7
"""Share of a core that may be planned with; beyond, queues grow (Little's law with bursts)."""

DAY_S = 86_400.0


@dataclass(frozen=True)
class Need:
    """What so many people in so many days need."""

    people: int
    days: float

    @property
    def pictures(self) -> int:
        """Return how many pictures are downloaded."""
        return self.people * CANDIDATES

    @property
    def rate(self) -> float:
        """Return pictures per second."""
        return self.pictures / (self.days * DAY_S)

    @property
    def store_cores(self) -> float:
        """Return cores for validate and store."""
        return self.rate * (STORE_CPU_S + VALIDATE_CPU_S) / USE

    @property
    def clean_cores(self) -> float:
        """Return cores for clean."""
        return self.rate * CLEAN_CPU_S / USE

    @property
    def machines(self) -> int:
        """Return machines of `CORES` cores."""
        return ceil((self.store_cores + self.clean_cores) / CORES)

    @property
    def store_workers(self) -> int:
        """Return processes of store: each keeps two cores busy."""
        return ceil(self.store_cores / 2)

    @property
    def partitions(self) -> int:
        """Return partitions of each topic: twice the workers, 6 by default."""
        return max(6, 2 * self.store_workers)

    @property
    def in_flight(self) -> int:
        """Return downloads at the same time (Little's law)."""
        return ceil(self.rate * DOWNLOAD_S)

    @property
    def busiest_connections(self) -> int:
        """Return connections to the busiest host."""
        return ceil(self.rate * BUSIEST_HOST * DOWNLOAD_S)

    @property
    def network_mbit(self) -> float:
        """Return the mean use of the network, in megabits per second."""
        return self.rate * PICTURE_BYTES * 8 / 1e6

    @property
    def disk_bytes(self) -> float:
        """Return what the pictures take: nothing is deleted."""
        return self.pictures * PICTURE_BYTES

    @property
    def database_bytes(self) -> float:
        """Return what the catalogue takes."""
        return self.pictures * ROW_BYTES

    @property
    def log_bytes(self) -> float:
        """Return what the log takes over all replicas when nothing expires."""
        return self.people * MESSAGES * MESSAGE_BYTES * (REPLICAS if self.machines > 1 else 1)

    @property
    def brokers(self) -> int:
        """Return Kafka brokers: none where the embedded log does."""
        return REPLICAS if self.machines > 1 else 0


SIZES = (Need(10_000, 1), Need(1_000_000, 7), Need(10_000_000, 30))


def table() -> str:
    """Return the table of docs/scale.md."""
    rows = [
        ("pictures downloaded", [f"{need.pictures / 1e6:.1f} million" for need in SIZES]),
        ("pictures per second", [f"{need.rate:.1f}" for need in SIZES]),
        ("cores for `validate` and `store`", [f"{need.store_cores:.2f}" for need in SIZES]),
        ("cores for `clean` with faces", [f"{need.clean_cores:.1f}" for need in SIZES]),
        (f"machines of {CORES} cores", [str(need.machines) for need in SIZES]),
        ("`store` workers", [str(need.store_workers) for need in SIZES]),
        ("partitions of each topic", [str(need.partitions) for need in SIZES]),
        ("Kafka brokers", [str(need.brokers or "none") for need in SIZES]),
        ("downloads in flight", [str(need.in_flight) for need in SIZES]),
        ("connections to the busiest host", [str(need.busiest_connections) for need in SIZES]),
        ("network, Mbit/s", [f"{need.network_mbit:.0f}" for need in SIZES]),
        ("disk for pictures", [_size(need.disk_bytes) for need in SIZES]),
        ("catalogue", [_size(need.database_bytes) for need in SIZES]),
        ("log, all replicas", [_size(need.log_bytes) for need in SIZES]),
    ]
    head = (
        "| | "
        + " | ".join(
            f"{need.people:,} people in {need.days:g} day{'s' if need.days > 1 else ''}"
            for need in SIZES
        )
        + " |"
    )
    return "\n".join(
        [
            head,
            "|---" * (len(SIZES) + 1) + "|",
            *(f"| {name} | {' | '.join(cells)} |" for name, cells in rows),
        ]
    )


def _size(size: float) -> str:
    return f"{size / 1e12:.1f} TB" if size >= 1e12 else f"{size / 1e9:.1f} GB"


if __name__ == "__main__":
    print(table())
