"""Start the program: the installed command and `python -m celebcollect`."""

import sys

from celebcollect import runtime


def main() -> None:
    """Import the command line and run it."""
    with runtime.tuned(ends_process=True):
        from celebcollect import cli

        code = cli.main()
    sys.exit(code)


if __name__ == "__main__":
    main()
