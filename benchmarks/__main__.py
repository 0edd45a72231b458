"""`python -m benchmarks`: the same as `sspcore bench engine`, for those in the repository."""

from __future__ import annotations

import sys

from sspcore.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["bench", "engine", *sys.argv[1:]]))
