"""How this program was installed, and so what installs more of it."""

from __future__ import annotations

import sys
from pathlib import Path


def install_command(requirement: str, prefix: Path | None = None) -> str:
    """
    Return the command that adds a requirement to where this program runs.

    Args:
        requirement: As pip takes it, e.g. `celebcollect[faces]` or `onnxruntime`.
        prefix: The environment that is asked about; None: this one.
    """
    where = prefix or Path(sys.prefix)
    is_ours = requirement.startswith("celebcollect")
    quoted = f"'{requirement}'" if "[" in requirement else requirement
    # Files that the two leave in each environment of theirs (pipx 1.7, uv 0.9).
    if (where / "pipx_metadata.json").exists():
        return f"pipx install --force {quoted}" if is_ours else f"pipx inject celebcollect {quoted}"
    if (where / "uv-receipt.toml").exists():
        with_more = quoted if is_ours else f"celebcollect --with {quoted}"
        return f"uv tool install --force {with_more}"
    return f"pip install {quoted}"
