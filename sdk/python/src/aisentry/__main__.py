"""`python -m aisentry run app.py`: records a program that does not know of this package."""

from __future__ import annotations

import sys

from ._run_program import main

if __name__ == "__main__":
    sys.exit(main())
