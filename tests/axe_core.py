"""axe-core, the accessibility checker from npm; kept outside the project."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from selenium import webdriver

from support import missing

VERSION = "4.10.3"
CACHE = Path.home() / ".cache" / "celebcollect-tests" / f"axe-core-{VERSION}"

RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ["violations"], preload: false}).then(
  (found) => done(found.violations.map((v) => (
    {id: v.id, impact: v.impact, nodes: v.nodes.map((n) => [n.html, n.failureSummary])}))),
  (error) => done([{id: String(error), impact: "critical", nodes: []}]));
"""


def source() -> str:
    """Return the script, fetched once."""
    script = CACHE / "node_modules" / "axe-core" / "axe.min.js"
    if not script.is_file():
        npm = shutil.which("npm")
        if npm is None:
            missing("npm")
        CACHE.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [
                npm,
                "install",
                "--no-audit",
                "--no-fund",
                "--ignore-scripts",
                "--prefix",
                str(CACHE),
                f"axe-core@{VERSION}",
            ],
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode or not script.is_file():
            missing(f"axe-core from npm ({done.stderr.strip()[-200:]})")
    return script.read_text(encoding="utf-8")


def violations(driver: webdriver.Chrome) -> list[dict[str, Any]]:
    """Check the page that is open and return what is serious or critical."""
    driver.execute_script(source())
    found: list[dict[str, Any]] = driver.execute_async_script(RUN)
    return [violation for violation in found if violation["impact"] in ("serious", "critical")]
