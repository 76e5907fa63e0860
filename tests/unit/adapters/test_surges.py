"""Groups and summaries are stored over the version that was read, and read as they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import pytest

from ses_insights.adapters.items import from_item, to_item
from ses_insights.adapters.surges import SurgeTable, surge_put
from ses_insights.contracts.names import Partition
from ses_insights.contracts.rows import alert_key
from ses_insights.contracts.surge_rows import group_key, read_summary, summary_row, surge_row
from ses_insights.domain.alert import AlertType
from ses_insights.domain.explanation import explain_reason
from ses_insights.domain.failures import SystemFailure
from ses_insights.domain.reasons import Reason
from ses_insights.domain.surge import Example, Finding, Group, Summary, Surge, counted, summarized
from ses_insights.domain.times import iso
from ses_insights.service.ports import RecordChangedError
from tests.support.fakes import Table
from tests.support.surges import FakeSurges

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
GROUP = Group(AlertType.BOUNCE, Reason.ADDRESS_UNKNOWN, "shop.example")
NOBODY = Group(AlertType.BOUNCE, Reason.ADDRESS_UNKNOWN, "")
YEAR = timedelta(days=365)


class Store(Protocol):
    """Stores a group as a look does: in the table with the record, in memory by itself."""

    def __call__(self, surge: Surge) -> None:
        """Store it over the version that was read."""
        ...


@pytest.fixture
def surges(table: Table) -> SurgeTable:
    """The real one, on a table in memory."""
    return SurgeTable(table.client, table.name, retention=timedelta(days=90))


@pytest.fixture
def store(surges: SurgeTable) -> Store:
    """Writes the action of a look's transaction."""

    def write(surge: Surge) -> None:
        surges.client.transact_write_items(
            TransactItems=[surge_put(surges.table_name, surge)]  # type: ignore[list-item]
        )

    return write


def alert(surges: SurgeTable, number: int, minute: float, **changes: object) -> None:
    """Put an alert's row into the table."""
    row = {
        "MessageId": f"message-{number}",
        "Record": alert_key(f"{number:032x}"),
        "AlertType": "BOUNCE",
        "Reason": "address-unknown",
        "FromDomain": "shop.example",
        "Destination": f"anna{number}@example.com",
        "Isp": "Gmail",
        "EmailTags": {"campaign": ["spring"]},
        "DetectedAt": iso(NOW + timedelta(minutes=minute)),
    } | changes
    item = to_item({name: value for name, value in row.items() if value is not None})
    surges.client.put_item(TableName=surges.table_name, Item=item)


@pytest.mark.parametrize(("due", "days"), [(None, 3), (NOW, 31)], ids=["quiet", "due"])
def test_a_group_is_kept_until_its_summary_can_be_written(due: datetime | None, days: int) -> None:
    """A month, while one is to come: the service may be paused for days.

    The simulation found it (seed 222 of 2026-11-26): after three days of faults no summary came.
    """
    surge = Surge(GROUP, iso(NOW), 6, iso(NOW), next_summary_at=iso(due) if due else None)
    assert surge_row(surge)["ExpiresAt"] == (NOW + timedelta(days=days)).timestamp()


def a_summary(surge: Surge, findings: Iterable[Finding] = ()) -> tuple[Surge, Summary]:
    """The summary of a group, six minutes later."""
    explanation = explain_reason(Reason.ADDRESS_UNKNOWN)
    return summarized(surge, findings, explanation, now=NOW + timedelta(minutes=6), surge_after=5)


@pytest.mark.parametrize("group", [GROUP, NOBODY])
def test_a_group_is_read_as_it_was_stored(surges: SurgeTable, store: Store, group: Group) -> None:
    """With one version more, which the next writer has to have read."""
    surge, _ = counted(None, group, now=NOW, surge_after=0)
    assert surges.load(group) is None
    store(surge)
    assert surges.load(group) == replace(surge, version=1)
    assert surges.load_key(group_key(group)) == replace(surge, version=1)


def test_a_group_that_has_changed_is_not_overwritten(surges: SurgeTable, store: Store) -> None:
    """Neither by who read nothing, nor by who read an older one."""
    surge, _ = counted(None, GROUP, now=NOW, surge_after=5)
    store(surge)
    _, summary = a_summary(surge)
    for version in (0, 2):
        with pytest.raises(RecordChangedError):
            surges.save_summary(summary, replace(surge, version=version))
    assert surges.load_summary(alert_key(summary.alert_id)) is None


def test_the_fake_refuses_the_same(surges: SurgeTable) -> None:
    """What the tests of surges rely on."""
    fake, (surge, _) = FakeSurges(), counted(None, GROUP, now=NOW, surge_after=5)
    fake.store(surge)
    _, summary = a_summary(surge)
    for version in (0, 2):
        with pytest.raises(RecordChangedError):
            fake.save_summary(summary, replace(surge, version=version))
    assert fake.load(GROUP) == replace(surge, version=1)
    assert surges.load(GROUP) is None


def test_a_surge_waits_in_its_lane_until_it_has_ended(surges: SurgeTable, store: Store) -> None:
    """There followups finds it."""
    surge, _ = counted(None, GROUP, now=NOW, surge_after=0)
    store(surge)
    found = surges.client.get_item(
        TableName=surges.table_name,
        Key=to_item({"MessageId": Partition.SURGES, "Record": group_key(GROUP)}),
    )
    row = from_item(found["Item"])
    assert (row["DueLane"], row["NextLookAt"]) == ("summary", "2026-11-23T10:05:00.000Z")


def test_alerts_of_a_group_and_a_time_are_found(surges: SurgeTable) -> None:
    """From the beginning, to before the end, over all pages; no other group's."""
    for number in range(8):
        alert(surges, number, number)
    alert(surges, 20, 2, FromDomain="bank.example")
    alert(surges, 21, 2, Reason="policy")
    alert(surges, 22, 2, AlertType="COMPLAINT")
    alert(surges, 23, 2, Reason=None)
    alert(surges, 24, 2, FromDomain=None)
    since, until = iso(NOW + timedelta(minutes=1)), iso(NOW + timedelta(minutes=5))
    found = list(surges.findings(GROUP, since=since, until=until))
    assert [each.message_id for each in found] == [f"message-{number}" for number in (1, 2, 3, 4)]
    assert found[0] == Finding(
        "message-1", f"{1:032x}", "Gmail", "example.com", {"campaign": ("spring",)}
    )
    (other,) = surges.findings(NOBODY, since=since, until=until)
    assert other.message_id == "message-24"


def test_an_alert_of_a_mail_of_which_something_was_erased_is_in_no_group(
    surges: SurgeTable,
) -> None:
    """The erasure took the sender out; it is no alert of a mail without a known sender."""
    alert(surges, 1, 2, FromDomain=None)
    alert(surges, 2, 3, FromDomain=None, EmailTags=None)
    alert(surges, 3, 4, FromDomain=None, EmailTags={})
    found = surges.findings(NOBODY, since=iso(NOW), until=iso(NOW + timedelta(hours=1)))
    assert [each.message_id for each in found] == ["message-1", "message-3"]


def test_a_summary_is_stored_pending_and_marked(surges: SurgeTable, store: Store) -> None:
    """Between the two it waits where pending alerts wait."""
    surge, _ = counted(None, GROUP, now=NOW, surge_after=0)
    store(surge)
    following, summary = a_summary(replace(surge, version=1))
    surges.save_summary(summary, following)
    key = alert_key(summary.alert_id)
    assert surges.load_summary(key) == summary
    assert surges.load(GROUP) == replace(following, version=2)
    done = replace(summary, published_at=iso(NOW), sns_message_id="sns-1")
    surges.mark_published(done)
    assert surges.load_summary(key) == done


def test_a_summary_that_is_not_stored_is_not_marked(surges: SurgeTable, table: Table) -> None:
    """A mark without its summary would be a row that says nothing; it is an error."""
    _, summary = a_summary(counted(None, GROUP, now=NOW, surge_after=0)[0])
    with pytest.raises(SystemFailure):
        surges.mark_published(replace(summary, published_at=iso(NOW), sns_message_id="sns-1"))
    assert table.rows() == []


def test_examples_are_looked_up_and_erased_ones_left_out(surges: SurgeTable) -> None:
    """The summary itself names nobody."""
    alert(surges, 1, 1)
    alert(surges, 2, 1, Destination=None)
    examples = [Example(f"message-{number}", f"{number:032x}") for number in (1, 2, 3)]
    assert surges.destinations(examples) == [("message-1", "anna1@example.com")]


def test_no_row_of_a_summary_names_a_recipient() -> None:
    """Erasing a person's data has nothing to look for there."""
    surge, _ = counted(None, GROUP, now=NOW, surge_after=0)
    finding = Finding("message-1", "a" * 32, "Gmail", "example.com", {"campaign": ("spring",)})
    _, summary = a_summary(surge, [finding, replace(finding, alert_id="b" * 32)])
    row = summary_row(summary, retention=YEAR)
    assert "@" not in str(row)
    assert read_summary(row) == summary
