"""The configuration for programs of users: `docs/consumer.md` promises them this name."""

from celebcollect.config.file import load as load
