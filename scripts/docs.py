"""
Write what the documentation takes from the code: `make docs`.

With `--tour` the README's tour is run again, too.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import docs_errors
import docs_tables
import docs_tour

from celebcollect.domain import schemas

ROOT = Path(__file__).parents[1]


def readme(text: str) -> str:
    """Return the README with its tables as the code has them."""
    text = docs_tables.between(text, "commands", docs_tables.commands())
    return docs_tables.between(text, "configuration", docs_tables.configuration())


def main() -> None:
    """Write the README's tables, docs/errors.md, docs/reasons.md and docs/schemas."""
    file = ROOT / "README.md"
    text = readme(file.read_text(encoding="utf-8"))
    if "--tour" in sys.argv[1:]:
        with tempfile.TemporaryDirectory() as folder:
            outputs = docs_tour.run([step.command for step in docs_tour.steps(text)], Path(folder))
        text = docs_tour.rewritten(text, outputs)
    file.write_text(text, encoding="utf-8")
    (ROOT / "docs" / "errors.md").write_text(docs_errors.errors_page(), encoding="utf-8")
    (ROOT / "docs" / "reasons.md").write_text(docs_errors.reasons_page(), encoding="utf-8")
    schemas.write(ROOT / "docs" / "schemas")


if __name__ == "__main__":
    main()
