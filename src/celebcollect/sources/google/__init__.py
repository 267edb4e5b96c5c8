"""Google Images: a source of pictures that needs a real browser."""

from celebcollect.sources.google.cache import forget
from celebcollect.sources.google.programs import find_programs, missing_browser
from celebcollect.sources.google.source import Google

__all__ = ["Google", "find_programs", "forget", "missing_browser"]
