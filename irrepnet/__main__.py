"""`python -m irrepnet`."""

import sys

from irrepnet.cli import main

if __name__ == "__main__":
    sys.exit(main())
