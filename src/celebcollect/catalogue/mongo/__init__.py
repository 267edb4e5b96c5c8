"""The catalogue in MongoDB: for several machines. The home of mongoengine and pymongo."""

from celebcollect.catalogue.mongo.catalogue import MongoCatalogue

__all__ = ["MongoCatalogue"]
