"""How we introduce ourselves to other people's servers.

Imports no HTTP library: who needs the words alone pays for no more.
"""

from __future__ import annotations

from celebcollect import __version__

PROJECT_URL = "https://pypi.org/project/celebcollect/"


def user_agent(contact: str) -> str:
    """
    Return the User-Agent of everything that we send: program, version and whom to write to.

    The form is the one that the Wikimedia Foundation User-Agent Policy asks for.
    """
    return f"celebcollect/{__version__} ({contact or PROJECT_URL})"
