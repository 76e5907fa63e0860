"""Hostile input, and what must hold for any: fuzz targets, their promises and their runs.

Two kinds of input come from outside: the bodies of the queue's messages and the
responses of SES. `bodies` and `responses` hold what the service promises of either against one
input. The tests replay the kept inputs (``tests/corpus``) and those that Hypothesis makes up;
`python -m tools.fuzz` looks for new ones, guided by coverage.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).parents[2]

KEPT: Final = PROJECT / "tests" / "corpus"
"""The inputs that are kept, a folder for each target."""
