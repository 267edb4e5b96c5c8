"""`[tmdb]`: its keys."""

from celebcollect.config.sections import TmdbConfig as TmdbConfig
