"""TMDB: portraits of people whose identity is proved."""

from celebcollect.sources.tmdb.source import Tmdb

__all__ = ["Tmdb"]
