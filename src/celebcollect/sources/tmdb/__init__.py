"""TMDB: portraits of people whose identity is proved."""
