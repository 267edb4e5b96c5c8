"""The names that users' scripts rely on, as this version of the program has them.

    python promised_names.py

prints them as JSON. `fixtures/names-0.1.json` is what version 0.1 printed.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import typer.main

from celebcollect.cli import app


def commands(group: Any, before: str = "") -> dict[str, list[str]]:
    """Return options and arguments of each command, those of groups with the group's name."""
    found: dict[str, list[str]] = {
        before.strip(): sorted(
            name
            for option in group.params
            for name in (option.opts if option.param_type_name == "option" else [option.name])
        )
    }
    for name, command in getattr(group, "commands", {}).items():
        found |= commands(command, f"{before} {name}")
    return found


def config_keys() -> list[str]:
    """Return the keys of the configuration that `init` writes, as `section.key`."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "config.toml"
        options = ("--contact", "me@example.org", "--data-dir", "data")
        command = [sys.executable, "-m", "celebcollect", "init", str(file), *options]
        subprocess.run(command, check=True, capture_output=True)
        lines = file.read_text(encoding="utf-8").splitlines()
    found, section = [], ""
    for line in lines:
        if header := re.fullmatch(r"#? ?\[([\w.]+)\]", line):
            section = f"{header[1]}."
        elif key := re.match(r"(?:# ?)?(\w+) = ", line):
            found.append(section + key[1])
    return found


def names() -> dict[str, Any]:
    """Return everything."""
    return {"commands": commands(typer.main.get_command(app)), "config": config_keys()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(names(), indent=1, ensure_ascii=False) + "\n")
