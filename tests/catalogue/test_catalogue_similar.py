"""Looking pictures up by the likeness of their perceptual hashes."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalogue.catalogue_samples import candidate, stored
from celebcollect.catalogue import bands
from celebcollect.catalogue.base import Catalogue

HASHES = st.integers(0, 2**64 - 1)


def flipped(phash: int, bits: int, source: random.Random) -> int:
    for bit in source.sample(range(64), bits):
        phash ^= 1 << bit
    return phash


@pytest.mark.slow
@given(HASHES, st.integers(0, bands.MAX_BITS), st.randoms(use_true_random=False))
def test_every_hash_within_the_distance_is_met(
    phash: int, bits: int, source: random.Random
) -> None:
    """However the differing bits lie, one of the keys of the other hash is asked for."""
    other = flipped(phash, bits, source)

    asked = bands.probes([f"{phash:016x}"], bits)

    found = [(key, bands.signed(f"{other:016x}")) for key in bands.keys(other) if key in asked]
    assert bands.near(asked, found, bits) == {bands.signed(f"{other:016x}")}


@given(HASHES, HASHES)
def test_no_hash_beyond_the_distance_is_taken(phash: int, other: int) -> None:
    """What shares a key is compared whole."""
    asked = bands.probes([f"{phash:016x}"], 4)

    found = [(key, bands.signed(f"{other:016x}")) for key in bands.keys(other) if key in asked]

    assert bool(bands.near(asked, found, 4)) == ((phash ^ other).bit_count() <= 4)


def test_distances_without_an_index_are_refused() -> None:
    """A distance that would ask for thousands of keys is a mistake of the caller."""
    with pytest.raises(ValueError, match="11"):
        bands.probes(["00" * 8], 12)


def test_rows_of_similar_hashes_are_found_whoever_they_belong_to(catalogue: Catalogue) -> None:
    """
    Rows within the distance come by person and id, each once.

    Other versions and rows without a hash do not.
    """
    source, middle = random.Random(1), 0x8F00_FF00_1234_5678
    near = [
        stored(7, 1, phash=f"{flipped(middle, 4, source):016x}"),
        stored(7, 2, phash=f"{middle:016x}"),
        stored(30, 1, phash=f"{middle:016x}"),
    ]
    far = [
        stored(8, 1, phash=f"{flipped(middle, 5, source):016x}"),
        stored(8, 2, phash=f"{middle:016x}", phash_version=2),
        candidate(8, 3),
    ]
    catalogue.record_stored([*reversed(near), *far[:2]])
    catalogue.add_verified(far[2:])

    found = catalogue.similar(
        [f"{middle:016x}", f"{flipped(middle, 1, source):016x}"], version=1, bits=4
    )

    assert {image.id for image in near} <= {image.id for image in found}
    assert [
        image.id for image in catalogue.similar([f"{middle:016x}"], version=1, bits=4)
    ] == sorted((image.id for image in near), key=lambda id_: (int(id_[1:].partition(":")[0]), id_))


def test_a_row_is_found_by_the_hash_that_it_has_now(catalogue: Catalogue) -> None:
    """A row whose hash was made anew is no longer found by the old one."""
    catalogue.record_stored([stored(7, 1, phash="00" * 8)])
    catalogue.record_verdicts([stored(7, 1, phash="ff" * 8)])

    assert catalogue.similar(["00" * 8], version=1, bits=6) == []
    assert len(catalogue.similar(["ff" * 8], version=1, bits=6)) == 1


def test_a_row_whose_hash_has_another_version_is_found_by_that_one(catalogue: Catalogue) -> None:
    """Also where the hash itself came out the same."""
    catalogue.record_stored([stored(7, 1, phash="00" * 8)])
    catalogue.record_verdicts([stored(7, 1, phash="00" * 8, phash_version=2)])

    assert catalogue.similar(["00" * 8], version=1, bits=6) == []
    assert len(catalogue.similar(["00" * 8], version=2, bits=6)) == 1
