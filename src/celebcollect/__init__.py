"""Turn the famous people that Wikidata knows into a clean, documented set of face pictures."""

__version__ = "0.1.0"
