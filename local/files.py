"""Where a long run is to write what it found."""

from __future__ import annotations

import argparse
from pathlib import Path


def new_file(text: str) -> Path:
    """Read the name of a file to write; a wrong one is found before the run and not after it.

    For `argparse`. Raises ArgumentTypeError where nothing can be written there.
    """
    path = Path(text)
    if path.is_dir():
        message = f"{text} is a folder: name a file in it"
        raise argparse.ArgumentTypeError(message)
    if not path.parent.is_dir():
        message = f"{text} cannot be written: there is no folder {path.parent}"
        raise argparse.ArgumentTypeError(message)
    return path
