"""What tests measure beside what they assert: tables that `make prove` writes into docs/."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

LEGEND = """\
It writes this page; this one is of {day:%Y-%m-%d}. docs/reliability.md says which promise each
table is about; [chaos.md](chaos.md) has the runs from a seed.

A number in brackets is a test's seed. *429s* are requests that SES's stand-in refused because
they came too early; *closest two* are the nearest two that arrived. *Slots used* counts those of
the whole run, also where a slow answer or a crash leaves none to use. *Back after* and *time to
recover* begin when the fault is mended or the process is dead. In each case of crashes two alerts
are due. *Duplicates* have the alertId of an alert that came before. *Edges* are branches of the
code, as the fuzzer counts them; it keeps an input that reaches a new one."""


@dataclass(slots=True)
class Findings:
    """Rows by table, in the order in which they were found."""

    tables: dict[str, list[dict[str, object]]] = field(default_factory=dict)

    def add(self, table: str, row: dict[str, object]) -> None:
        """Add a row; the first one names the columns of its table."""
        self.tables.setdefault(table, []).append(row)

    def page(self, when: datetime) -> str:
        """Write all tables in Markdown."""
        head = ("# What `make prove` measured", "", LEGEND.format(day=when))
        return "\n".join((*head, *self._lines(), ""))

    def _lines(self) -> Iterator[str]:
        for title, rows in self.tables.items():
            yield from ("", f"## {title}", "")
            yield _line(rows[0])
            yield _line(["---"] * len(rows[0]))
            yield from (_line(row[column] for column in rows[0]) for row in rows)


def _line(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
