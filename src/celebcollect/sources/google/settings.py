"""`[google]`: its keys."""

from celebcollect.config.sections import GoogleConfig as GoogleConfig
