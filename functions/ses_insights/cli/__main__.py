"""The command `insights`: it runs what the arguments name, and ends without a trace."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress
from types import ModuleType
from typing import TextIO


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    try:
        code = _main()
    except KeyboardInterrupt:
        code = 130
    # Nothing is left to be stopped, and Python would show a trace of its own cleaning up.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


def _main() -> int:
    _open_what_is_closed()
    sys.unraisablehook = _end_where_it_was_lost
    # Ctrl-C while it is loaded ends without a trace, too.
    from ses_insights.cli import program  # noqa: PLC0415

    code = 0
    try:
        code = _code_of(program)
        sys.stdout.flush()
    except (BrokenPipeError, program.PipeClosed):
        _end_as_the_pipe()
    except OSError as error:
        with suppress(OSError):
            sys.stdout.flush()  # where it is standard error that cannot be written
        _lose(sys.stdout)
        _complain(program.cannot_write(error))
        code = program.USAGE
    return code


def _end_where_it_was_lost(lost: sys.UnraisableHookArgs) -> None:
    """End as Ctrl-C does where Python drops it: it came into the cleaning up of an object."""
    if lost.exc_type is not KeyboardInterrupt:
        sys.__unraisablehook__(lost)
        return
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.raise_signal(signal.SIGINT)


def _code_of(program: ModuleType) -> int:
    try:
        program.run()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    except (OSError, program.PipeClosed):
        raise
    except Exception as error:  # the last net: a person gets a sentence
        if os.environ.get(program.TRACE):
            raise
        _complain(program.defect(error))
        return int(program.AWS)
    return 0


def _open_what_is_closed() -> None:
    """Let a standard stream that the shell has closed be empty and take anything.

    Python has None in its place, and its file number would go to the first file or socket.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - for the whole run


def _complain(sentence: str) -> None:
    """Write to standard error, as far as that can be written."""
    try:
        sys.stderr.write(f"{sentence}\n")
        sys.stderr.flush()
    except OSError:
        _lose(sys.stderr)


def _lose(stream: TextIO) -> None:
    """Let Python's own last flush of a standard stream go nowhere: it would fail, too."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _end_as_the_pipe() -> None:
    """End as programs do whose reader has gone: by the signal, which a shell shows as 141."""
    _lose(sys.stdout)
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGPIPE)
    sys.exit(1)


if __name__ == "__main__":
    main()
