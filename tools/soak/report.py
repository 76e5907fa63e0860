"""The figures of a soak as the page `docs/soak.md`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tools.promises import promise_table
from tools.soak.figures import Figures, by_fault, promises

MOST_SHOWN: Final = 25
"""Differences that are listed; how many there are is in the first table."""

WHAT: Final = """\
The real stack runs on the local AWS with IAM enforced. Mails of every story are sent all the time,
so that two dozen ids wait for a look at every moment. A third of the stories end only after their
first look, and followups finds them by its schedule. Faults come one after the other, in an order
that the seed decides, with quiet stretches in between. In the end every row and every alert is held
against the stories.

Three things differ from what is deployed. Stories pass in minutes, so the ladder is one rung at
four minutes. What a dead function had in hand comes back after 40 seconds, not after three minutes.
No answer to a claim of followups is lost: such a claim ends by itself after an hour (decision
record 10), which is longer than the run."""


def page(figures: Figures, *, seed: int, when: str) -> str:
    """Write the page in Markdown."""
    minutes = figures.seconds / 60
    command = f"python -m tools.soak --minutes {minutes:g} --seed {seed}"
    looks = (
        f"{figures.looks:,} looks in all, {figures.looks_again:,} of them at messages looked at "
        f"before; the closest two arrived {figures.closest or 0:.3f} s apart."
    )
    return "\n".join(
        [
            "# A long run",
            "",
            f"`make soak` writes this page; this one is of {when}, by `{command}`.",
            "",
            WHAT,
            "",
            promise_table(promises(figures)),
            "",
            looks,
            "",
            *_faults(figures),
            "",
            *(f"- {difference}" for difference in figures.differences[:MOST_SHOWN]),
        ]
    ).rstrip()


def _faults(figures: Figures) -> Iterator[str]:
    yield "| Fault | Times | On for (s) | Requests that met it | Next answered look after (s) |"
    yield "|---|---|---|---|---|"
    for fault, spells in by_fault(figures).items():
        on = sum(spell.off - spell.on for spell, _ in spells)
        met = sum(spell.met for spell, _ in spells)
        after = ", ".join("none" if late is None else f"{late:.1f}" for _, late in spells)
        yield f"| {fault} | {len(spells)} | {on:.0f} | {met} | {after} |"
