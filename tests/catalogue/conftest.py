"""The catalogue over every backend: one SQLite file, and two servers of MongoDB's protocol."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from catalogue.catalogue_backends import Backend, new_backend
from celebcollect.catalogue.base import Catalogue

ATOMIC = ["embedded", pytest.param("java", marks=pytest.mark.mongo)]
"""Backends whose writes are atomic, as MongoDB's are (see services/mongo_service)."""


@pytest.fixture(params=[*ATOMIC, pytest.param("ferretdb", marks=pytest.mark.mongo)])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """An empty catalogue of each kind, not yet opened."""
    with new_backend(request.param, tmp_path) as backend:
        yield backend


@pytest.fixture(params=ATOMIC)
def shared_backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    """An empty catalogue that several processes may write at once."""
    with new_backend(request.param, tmp_path) as backend:
        yield backend


@pytest.fixture
def catalogue(backend: Backend) -> Iterator[Catalogue]:
    """An empty, open catalogue of each kind."""
    with closing(backend.open()) as catalogue:
        yield catalogue
