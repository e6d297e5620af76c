"""`python -m services`: says which services the tests will use, installing what may be installed."""

from __future__ import annotations

import sys

from . import ServiceMissingError, prepare

if __name__ == "__main__":
    try:
        sys.stdout.write("\n".join(prepare()) + "\n")
    except ServiceMissingError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
