"""Start the program: the installed command and `python -m celebcollect`."""

import sys

from celebcollect import runtime as early


def main() -> None:
    """Import the command line and run it."""
    early.shield()
    early.tune()
    from celebcollect import cli

    code = cli.main()
    early.leave()
    sys.exit(code)


if __name__ == "__main__":
    main()
