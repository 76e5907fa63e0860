"""What tests measure beside what they assert: tables that `make prove` writes into docs/."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(slots=True)
class Findings:
    """Rows by table, in the order in which they were found."""

    tables: dict[str, list[dict[str, object]]] = field(default_factory=dict)

    def add(self, table: str, row: dict[str, object]) -> None:
        """Add a row; the first one names the columns of its table."""
        self.tables.setdefault(table, []).append(row)

    def page(self, when: datetime) -> str:
        """Write all tables in Markdown."""
        head = (
            "# What `make prove` measured",
            "",
            f"It writes this page; this one is of {when:%Y-%m-%d}.",
        )
        return "\n".join((*head, *self._lines(), ""))

    def _lines(self) -> Iterator[str]:
        for title, rows in self.tables.items():
            yield from ("", f"## {title}", "")
            yield _line(rows[0])
            yield _line(["---"] * len(rows[0]))
            yield from (_line(row[column] for column in rows[0]) for row in rows)


def _line(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"
