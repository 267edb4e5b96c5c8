"""Google Images: a source of pictures that needs a real browser."""

from celebcollect.sources.google.cache import forget
from celebcollect.sources.google.programs import missing_browser
from celebcollect.sources.google.source import Google

__all__ = ["Google", "forget", "missing_browser"]
