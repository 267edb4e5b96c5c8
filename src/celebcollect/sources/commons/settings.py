"""`[commons]`: its keys."""

from celebcollect.config.sections import CommonsConfig as CommonsConfig
