"""Wikidata: the source of people."""
