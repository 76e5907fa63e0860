"""What a long run is to write is checked before it begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import pytest

from local import demo
from local.files import new_file
from tools.chaos import __main__ as chaos
from tools.soak import __main__ as soak


def test_a_file_that_is_there_or_not_can_be_written(tmp_path: Path) -> None:
    """Its folder is there."""
    there = tmp_path / "page.md"
    there.touch()
    assert new_file(str(there)) == there
    assert new_file(str(tmp_path / "new.md")) == tmp_path / "new.md"
    assert new_file("page.md") == Path("page.md")


Command = tuple[Callable[[Sequence[str]], int], str]

COMMANDS: Final[Mapping[str, Command]] = {
    "demo": (demo.main, "--svg"),
    "chaos": (chaos.main, "--write"),
    "soak": (soak.main, "--write"),
}


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
@pytest.mark.parametrize(
    ("name", "says"),
    [("none/page.md", "cannot be written: there is no folder"), (".", "is a folder: name a file")],
)
def test_what_cannot_be_written_is_wrong_usage_at_once(
    command: Command, name: str, says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not after an hour: exit code 2 and a sentence."""
    main, option = command
    with pytest.raises(SystemExit, match="2"):
        main([option, str(tmp_path / name)])
    assert says in capsys.readouterr().err
