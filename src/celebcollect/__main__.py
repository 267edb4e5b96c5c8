"""Let `python -m celebcollect` behave like the installed command."""

from celebcollect.cli import main

main()
