"""Find hashes that differ in few bits without looking at all of them.

They are found by 16-bit bands, some of which differ in very few bits.

Of `bits` differing bits in four bands one band has at most a quarter. So whoever asks for all
values that a band may have within that distance meets every such hash (multi-index hashing,
Norouzi, Punjani and Fleet, CVPR 2012). At 4 to 7 bits this is 68 questions, which among a million
random hashes bring about a thousand candidates.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import combinations

MAX_BITS = 11
"""Beyond, a band may differ in 3 bits, which makes 2,788 questions; unrelated pictures begin at
about 10 bits anyway."""

BATCH = 50
"""Hashes asked about at once: keeps the candidates of a million stored hashes within some
megabytes."""

_WIDTH = 16
_SHIFTS = (48, 32, 16, 0)


def number(phash: str) -> int:
    """Return the hash as a number without sign."""
    return int(phash, 16)


def signed(phash: str) -> int:
    """Return the hash as databases keep 64 bits: as a signed number."""
    value = number(phash)
    return value - (1 << 64) if value >> 63 else value


def keys(phash: int) -> list[int]:
    """Return the four keys under which a hash is stored: number of the band, then its value."""
    return [(band << _WIDTH) | ((phash >> shift) & 0xFFFF) for band, shift in enumerate(_SHIFTS)]


def probes(phashes: Collection[str], bits: int) -> dict[int, list[int]]:
    """
    Return the keys under which all hashes lie that differ in at most `bits` bits.

    Beside each key stand the hashes for which it is asked.

    Raises:
        ValueError: More than `MAX_BITS`, or a text that is no hash.
    """
    if bits > MAX_BITS:
        raise ValueError(f"hashes are found up to {MAX_BITS} differing bits, not {bits}")
    flips = [
        sum(1 << bit for bit in some)
        for count in range(bits // len(_SHIFTS) + 1)
        for some in combinations(range(_WIDTH), count)
    ]
    asked: dict[int, list[int]] = {}
    for phash in map(number, phashes):
        for key in keys(phash):
            for flip in flips:
                asked.setdefault(key ^ flip, []).append(phash)
    return asked


def near(asked: dict[int, list[int]], found: Iterable[tuple[int, int]], bits: int) -> set[int]:
    """
    Return the found hashes that differ in at most `bits` bits from one that asked for them.

    `found` is pairs of key and signed hash; the answer is signed, too.
    """
    return {
        phash
        for key, phash in found
        if any(
            ((phash ^ wanted) & 0xFFFF_FFFF_FFFF_FFFF).bit_count() <= bits for wanted in asked[key]
        )
    }
