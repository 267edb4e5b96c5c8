"""TMDB: portraits of people whose identity is proved. Imports nothing, because `terms` is asked by programs that never talk to TMDB."""
