"""The page over a stack in memory, asked as a browser asks it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any, Final

import pytest
from starlette.testclient import TestClient

from ses_insights.adapters.items import to_item
from ses_insights.adapters.records import RecordTable
from ses_insights.cli.deployment import Deployment
from ses_insights.cli.web.app import Site, make_app
from ses_insights.cli.web.reading import SharedDeployment
from ses_insights.cli.web.security import Session
from ses_insights.contracts.rows import Row
from ses_insights.domain.insight import Bounce, Complaint, Destination, Event, Insights
from ses_insights.domain.record import Found
from ses_insights.domain.times import iso
from tests.cli.conftest import Aws
from tests.support.fakes import START
from tests.support.samples import insights_of, looked

PORT: Final = 8427
ADDRESS: Final = f"http://127.0.0.1:{PORT}"
NOW: Final = START + timedelta(hours=1)


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        """Every tag with the names of its attributes."""
        self.links: list[str] = []
        self.words: list[str] = []
        self.hidden: dict[str, str] = {}
        """The hidden fields of its forms."""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        values = dict(attrs)
        self.links += [values[name] or "" for name in ("href", "src", "action") if name in values]
        if tag == "input" and values.get("type") == "hidden":
            self.hidden[str(values["name"])] = values["value"] or ""

    def handle_data(self, data: str) -> None:
        """Note text."""
        self.words.append(data)

    @property
    def text(self) -> str:
        """What a person reads, in one line."""
        return " ".join(" ".join(self.words).split())


@dataclass(slots=True)
class Browser:
    """A browser that was let in."""

    client: TestClient
    session: Session
    log: list[str] = field(default_factory=list)

    def get(self, path: str, status: int = 200) -> Page:
        """Load a page."""
        answer = self.client.get(path)
        assert answer.status_code == status, (answer.status_code, Page(answer.text).text)
        return Page(answer.text)

    def post(self, path: str, **form: str) -> Any:
        """Send a form of a page of this run; the answer may lead elsewhere."""
        return self.client.post(
            path, data={"token": self.session.form_token, **form}, follow_redirects=False
        )


Open = Callable[..., Browser]


@pytest.fixture
def calls(aws: Aws) -> Iterator[Counter[str]]:
    """Counts the calls to AWS, by operation."""
    counted: Counter[str] = Counter()

    def count(model: Any, **_: object) -> None:
        counted[model.name] += 1

    aws.session.events.register_first("before-call", count)
    yield counted
    aws.session.events.unregister("before-call", count)


@pytest.fixture
def deployed(deployment: Deployment, calls: Counter[str]) -> SharedDeployment:
    """The stack, as the pages share it; its settings are read as at the start."""
    del calls  # clients that are made from here on are counted
    shared = SharedDeployment.of(deployment)
    _ = shared.settings
    return shared


@pytest.fixture
def open_page(deployed: SharedDeployment) -> Open:
    """Let a browser in."""

    def enter(*, read_only: bool = False, now: datetime = NOW) -> Browser:
        session = Session(PORT)
        log: list[str] = []
        guard = make_app(Site(deployed, session, read_only, lambda: now), log.append)
        client = TestClient(guard, base_url=ADDRESS, raise_server_exceptions=True)
        answer = client.get(session.first_address)
        assert answer.status_code == 200
        return Browser(client, session, log)

    return enter


@pytest.fixture
def browser(open_page: Open) -> Browser:
    """A browser with the page open."""
    return open_page()


Store = Callable[..., str]


@pytest.fixture
def store(records: RecordTable) -> Store:
    """Stores a message after its first look, and returns its id."""
    numbers = iter(range(10_000))

    def keep(*destinations: Destination, now: datetime = START, **changes: Any) -> str:
        message_id = changes.pop("message_id", None) or f"message-{next(numbers):010}"
        insights: Insights = replace(insights_of(*destinations, message_id=message_id), **changes)
        record, alerts = looked(Found(insights), message_id=message_id, now=now)
        records.save(record, alerts, read=None)
        return message_id

    return keep


def mail(address: str, *kinds: str, at: datetime = START, **details: Any) -> Destination:
    """A recipient with events of these types, a minute apart, the last one with the details."""
    times = [at + timedelta(minutes=number) for number in range(len(kinds))]
    events = [Event(kind, iso(moment)) for kind, moment in zip(kinds, times, strict=True)]
    events[-1] = replace(events[-1], **details)
    return Destination(address, "Gmail", tuple(events))


def refused(code: str, sub_type: str = "General") -> Bounce:
    """A permanent bounce."""
    return Bounce("PERMANENT", sub_type, code)


def reported(kind: str = "abuse") -> Complaint:
    """A complaint."""
    return Complaint(None, kind)


def put(deployment: Deployment, row: Row) -> None:
    """Put a row into the table as it is."""
    deployment.dynamodb.put_item(TableName=deployment.table_name, Item=to_item(row))


def put_recipients(deployment: Deployment, number: int, **changes: Any) -> list[str]:
    """Put so many rows of recipients, a minute apart, and return their messages, newest first."""
    ids = [f"message-{each:010}" for each in range(number)]
    for each, message_id in enumerate(ids):
        row = {
            "MessageId": message_id,
            "Record": "DESTINATION#1",
            "Destination": f"a{each}@there.example",
            "Status": "DELIVERED",
            "LastEventAt": iso(START - timedelta(minutes=each)),
        }
        put(deployment, row | changes)
    return ids
