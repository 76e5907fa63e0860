"""`python -m tools.fuzz.child TARGET …`: fuzz one target in this process, with libFuzzer's options.

libFuzzer ends the process itself, so `tools.fuzz.__main__` starts one for each target. What is
instrumented must not be imported before.
"""

from __future__ import annotations

import shlex
import sys
from importlib import import_module
from random import Random
from typing import Any, Final

from tools.fuzz.mutate import mutated

atheris: Final[Any] = import_module("atheris")  # has no types, and is not there on every machine

INSTRUMENTED: Final = ["ses_insights", "botocore.parsers", "botocore.utils"]
"""The packages whose coverage guides the run: the service, and the parser in front of it."""


def _mutator(data: bytes, longest: int, seed: int) -> bytes:
    """Change a document as one, where it is JSON; else, and now and then, as mere bytes."""
    chance = Random(seed)  # noqa: S311 - no secret: a run is to be repeatable
    changed = mutated(data, chance) if chance.randrange(5) else None
    if changed is None or len(changed) > longest:
        return bytes(atheris.Mutate(data, longest))
    return changed


def main() -> None:
    """Fuzz until libFuzzer's options end it."""
    _, target, *options = sys.argv
    # libFuzzer starts its own kind for a merge: by the shell, with the first argument as command.
    command = f"{shlex.quote(sys.executable)} -m tools.fuzz.child {target}"
    with atheris.instrument_imports(include=INSTRUMENTED):
        check = import_module(f"tools.fuzz.{target}").check

    def one(data: bytes) -> None:
        check(data)

    atheris.Setup([command, *options], one, custom_mutator=_mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
