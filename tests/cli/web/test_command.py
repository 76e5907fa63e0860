"""`insights web`: what it says before a browser comes."""

from __future__ import annotations

import builtins
import sys
from typing import Any

import pytest

from ses_insights.cli.errors import WrongUsageError
from ses_insights.cli.web import server
from ses_insights.cli.web.security import HOST
from tests.support.said import Insights


def test_without_the_extra_it_says_what_to_install(
    insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence, exit code 2."""
    for name in [name for name in sys.modules if name.startswith("ses_insights.cli.web")]:
        monkeypatch.delitem(sys.modules, name)
    imported = builtins.__import__

    def refuse(name: str, *more: Any, **options: Any) -> Any:
        if name.partition(".")[0] in {"starlette", "uvicorn", "jinja2"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return imported(name, *more, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    said = insights("web")
    assert (said.code, said.out) == (2, "")
    assert "pip install '.[web]'" in said.err


def test_a_stack_that_is_not_there_is_said_first(insights: Insights) -> None:
    """Before a port is opened."""
    said = insights("web", "--stack", "Elsewhere", "--no-browser")
    assert said.code == 3
    assert "There is no stack Elsewhere" in said.err


def test_it_listens_on_loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is taken is a sentence with what to do."""
    asked: list[tuple[str, int]] = []

    def refuse(address: tuple[str, int]) -> Any:
        asked.append(address)
        raise OSError(98, "Address already in use")

    monkeypatch.setattr("socket.create_server", refuse)
    with pytest.raises(WrongUsageError, match="Port 8427 cannot be used"):
        server.listen(8427)
    assert asked == [(HOST, 8427)] == [("127.0.0.1", 8427)]
