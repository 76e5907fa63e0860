"""The picture of the demo: its results, and nothing of the machine on which it ran."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from rich.console import Console

from local.demo import WIDTH, captured
from local.stack.run import PROJECT

PICTURE = PROJECT / "docs" / "demo.svg"


def test_a_capture_shows_what_was_recorded_and_fetches_nothing() -> None:
    """What came before is left out, and so are the fonts for which a browser would go elsewhere."""
    console = Console(highlight=False, width=WIDTH)
    console.print("Deploying the stack")
    console.record = True
    console.print("[red]Expected and found[/red]")
    svg = captured(console)
    assert "Expected" in svg
    assert "Deploying" not in svg
    assert re.findall(r"@font-face|url\(.?http", svg) == []
    assert [line for line in svg.splitlines() if line != line.rstrip()] == []


def test_the_picture_of_the_demo_can_be_shown() -> None:
    """Well-formed, small, of a run that ended as it must, with no path of the machine in it."""
    svg = PICTURE.read_text()
    words = "".join(ET.fromstring(svg).itertext()).replace("\xa0", " ")  # noqa: S314 - our own
    assert len(svg.encode()) < 150_000
    assert "are stored and alerted as their stories say" in words
    assert "✗" not in words
    # The last line of progress and the check count the same.
    assert len({*re.findall(r"(\d+) looks, at", words), *re.findall(r"answered (\d+)", words)}) == 1
    assert re.search(r"\d+ looks, at (\d+) of \1 ids · 0 in the queue · (\d+) of \2 alerts", words)
    links = r"https://[^ ]+"  # of the console, in the e-mail
    words = re.sub(links, "", words)
    assert re.findall(r"(?<!\.\.)/(?:home|root|tmp|work|Users|usr)\b", words) == []
