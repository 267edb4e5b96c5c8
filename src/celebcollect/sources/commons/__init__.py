"""Wikimedia Commons: licensed photographs."""

from celebcollect.sources.commons.source import Commons

__all__ = ["Commons"]
