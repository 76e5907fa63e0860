"""Measure how right the reasons are: ``python -m tools.measure_reasons dev.tsv truth.py``.

The TSV has a text, a label and its source in each line; ``truth.py`` has a function ``truth`` from
a label and a text to the first answer and all accepted ones (stop, mend, retry), or to None where
the label says nothing. Neither belongs to this project, so neither is in it.

Right is an action that is accepted. Harmful is a stop that is not, or anything but a stop or a
review where a stop is what is right. A time is processor time, the best of some tries. Hostile
texts are of the greatest length that is read, and repeat what makes patterns search for long.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ses_insights.domain.answer import READ_LENGTH
from ses_insights.domain.explanation import explain_bounce
from ses_insights.domain.reasons import Action, Reason

TRIES: Final = 5
HOSTILE: Final = ("a", " ", "- ", "550 ", "5.1.1 ", "<a@b.example> ", "\n550-", "no such user ")
"""What a hostile text repeats, beside the beginnings of the texts that are measured."""

Truth = Callable[[str, str], tuple[str, frozenset[str]] | None]

ANSWERS: Final = {
    Action.STOP_SENDING: "stop",
    Action.FIX_SENDER: "mend",
    Action.RETRY_LATER: "retry",
}


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found for one text."""

    text: str
    label: str
    reason: Reason
    is_right: bool
    is_harmful: bool
    seconds: float


def measured(lines: Iterator[str], truth: Truth) -> Iterator[Measured]:
    """Explain each text as a permanent, general bounce and compare it with the truth."""
    for line in lines:
        text, label, _ = line.rstrip("\n").split("\t")
        known = truth(label, text)
        if known is None:
            continue
        first, accepted = known
        found = explain_bounce("General", text)
        answer = ANSWERS.get(found.action)
        is_right = answer in accepted
        wrong_stop = answer == "stop" and not is_right
        missed_stop = first == "stop" and answer is not None and not is_right
        yield Measured(
            text, label, found.reason, is_right, wrong_stop or missed_stop, seconds(text)
        )


def seconds(text: str) -> float:
    """Return the seconds of processor time that a text takes: the best of `TRIES`."""
    times = []
    for _ in range(TRIES):
        begin = time.thread_time()
        explain_bounce("General", text)
        times.append(time.thread_time() - begin)
    return min(times)


def hostile_texts(texts: list[str]) -> Iterator[str]:
    """Repeat each part up to the longest text."""
    for part in (*HOSTILE, *(text[:24] for text in texts)):
        yield (part * READ_LENGTH)[:READ_LENGTH]


def loaded(path: Path) -> Truth:
    """Load the function ``truth`` of a Python file."""
    spec = importlib.util.spec_from_file_location("truth", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function: Truth = module.truth
    return function


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("texts", type=Path, help="text, label and source, with tabs between")
    parser.add_argument("truth", type=Path, help="a Python file with a function truth(label, text)")
    parser.add_argument("--right", type=float, default=90, help="least share, in percent")
    parser.add_argument("--harmful", type=float, default=3, help="greatest share, in percent")
    parser.add_argument("--unknown", type=float, default=10, help="greatest share, in percent")
    parser.add_argument("--misses", action="store_true", help="list the texts that are not right")
    return parser.parse_args()


def main() -> int:
    """Print the shares and the times; 1 where a share is beyond its limit."""
    options = arguments()
    explain_bounce(None, "")  # the first one compiles the patterns
    with options.texts.open(encoding="utf-8") as lines:
        found = list(measured(iter(lines), loaded(options.truth)))
    if not found:
        raise SystemExit(f"{options.texts} has no text whose label has a truth")
    right = 100 * sum(each.is_right for each in found) / len(found)
    harmful = 100 * sum(each.is_harmful for each in found) / len(found)
    unknown = 100 * sum(each.reason is Reason.UNKNOWN for each in found) / len(found)
    times = sorted(each.seconds for each in found)
    longest = max(map(seconds, hostile_texts([each.text for each in found])))
    if options.misses:
        for each in found:
            if not each.is_right:
                mark = "HARMFUL" if each.is_harmful else "       "
                print(f"{mark} {each.reason}, not {each.label}: {each.text[:120]}")
    print(f"{len(found)} texts")
    print(f"right    {right:5.1f} %  (at least {options.right:g})")
    print(f"harmful  {harmful:5.1f} %  (at most {options.harmful:g})")
    print(f"unknown  {unknown:5.1f} %  (at most {options.unknown:g})")
    median, worst = 1e3 * times[len(times) // 2], 1e3 * times[-1]
    print(f"time     {median:.2f} ms median, {worst:.2f} ms worst  (at most 1)")
    print(f"hostile  {1e3 * longest:.1f} ms worst of {READ_LENGTH} characters  (at most 20)")
    kept = right >= options.right and harmful <= options.harmful and unknown <= options.unknown
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
