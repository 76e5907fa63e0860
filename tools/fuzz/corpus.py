"""The inputs that are kept: each reaches a place of the code that no other one reaches."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from tools.fuzz import KEPT, bodies, responses

TARGETS: Final[Mapping[str, Callable[[bytes], str]]] = {
    "bodies": bodies.check,
    "responses": responses.check,
}
"""What an input is held against; each returns what the input was, in a word."""


LONGEST_KEPT: Final = 1_536
"""Bytes of an input that is added: for most of what a longer one reaches there is a short one."""


def keep(target: str, found: Path) -> int:
    """Add what a run found to what is kept, named by what it is; returns how many were added."""
    folder = KEPT / target
    known = {path.read_bytes() for path in folder.iterdir()}
    new = sorted({path.read_bytes() for path in found.iterdir()} - known)
    short = [data for data in new if len(data) <= LONGEST_KEPT]
    for data in short:
        word = TARGETS[target](data)
        (folder / f"{word}-{hashlib.sha256(data).hexdigest()[:8]}").write_bytes(data)
    return len(short)
