"""The account's suppression list as a real boto3 client reads it from the stand-in."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from local.ses_stand_in.control import Control
from local.ses_stand_in.settings import FaultKind, Operation
from local.ses_stand_in.stories import STORIES, Story, address_of
from local.ses_stand_in.wire import MESSAGE_ID
from tests.support.stand_in import ManualClock

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
LISTED_AFTER = timedelta(milliseconds=35)
BOUNCES = "bounce-noemail@stories.example"
COMPLAINS = "complaint-abuse@stories.example"
LIST, GET, ACCOUNT = (
    Operation.LIST_SUPPRESSED_DESTINATIONS,
    Operation.GET_SUPPRESSED_DESTINATION,
    Operation.GET_ACCOUNT,
)


def read(client: "SESV2Client", **parameters: Any) -> list[tuple[str, str, datetime]]:
    """Every entry of every page, in order of time."""
    entries = []
    while True:
        page = client.list_suppressed_destinations(**parameters)
        entries += [
            (each["EmailAddress"], each["Reason"], each["LastUpdateTime"].astimezone(UTC))
            for each in page["SuppressedDestinationSummaries"]
        ]
        if "NextToken" not in page:
            return sorted(entries, key=lambda entry: entry[2])
        parameters["NextToken"] = page["NextToken"]


def listed(client: "SESV2Client", **parameters: Any) -> list[str]:
    """Every address that is listed."""
    return [address for address, _, _ in read(client, **parameters)]


def events_seen(client: "SESV2Client", message_id: str) -> list[Any]:
    """The events of the first destination, as GetMessageInsights shows them."""
    return list(client.get_message_insights(MessageId=message_id)["Insights"][0]["Events"])


@pytest.fixture
def bounced(send: Callable[..., str], clock: ManualClock) -> None:
    """BOUNCES is on the list."""
    send(BOUNCES)
    clock.advance(DAY)


def test_a_bounce_and_a_complaint_list_their_addresses(
    send: Callable[..., str], client: "SESV2Client", control: Control, clock: ManualClock
) -> None:
    """Each at the event's time and some milliseconds, not before, with its reason."""
    send(BOUNCES)
    send(COMPLAINS)
    bounced, complained = (mail.sent_at for mail in control.sent())
    assert read(client) == []
    clock.advance(timedelta(minutes=29))
    assert listed(client) == [BOUNCES]
    clock.advance(timedelta(minutes=2))
    assert read(client) == [
        (BOUNCES, "BOUNCE", bounced + 2 * SECOND + LISTED_AFTER),
        (COMPLAINS, "COMPLAINT", complained + timedelta(minutes=30) + LISTED_AFTER),
    ]


def test_an_entry_names_the_message_that_listed_it(
    send: Callable[..., str], client: "SESV2Client", clock: ManualClock
) -> None:
    """GetSuppressedDestination gives its id in the form that GetMessageInsights takes."""
    message_id = send(BOUNCES)
    clock.advance(DAY)
    ((address, reason, at),) = read(client)
    entry = client.get_suppressed_destination(EmailAddress=BOUNCES.upper())["SuppressedDestination"]
    assert (entry["EmailAddress"], entry["Reason"]) == (address, reason)
    assert entry["LastUpdateTime"].astimezone(UTC) == at
    assert entry["Attributes"]["MessageId"] == message_id
    assert MESSAGE_ID.fullmatch(entry["Attributes"]["FeedbackId"])
    assert events_seen(client, message_id)


@pytest.mark.parametrize("address", ["anna@stories.example", "a/b+c %@stories.example", "\u00fc"])
def test_an_address_that_is_not_listed_is_not_found(
    address: str, client: "SESV2Client", control: Control
) -> None:
    """404, whatever its characters, and the log has the address as it was asked for."""
    with pytest.raises(client.exceptions.NotFoundException, match="does not exist on your"):
        client.get_suppressed_destination(EmailAddress=address)
    assert [call.address for call in control.calls(GET)] == [address]


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_what_lists_an_address_is_a_permanent_bounce_or_a_complaint(
    story: Story, send: Callable[..., str], client: "SESV2Client", clock: ManualClock
) -> None:
    """Nothing else does, nor a mail that was not attempted because its address is listed."""
    send(address_of(story))
    clock.advance(5 * DAY)
    alerts = [
        alert
        for alert in story.expected.alerts
        if alert.alert_type in {"BOUNCE", "COMPLAINT"} and alert.severity != "low"
    ]
    assert len(listed(client)) == (1 if story.name == "complaint-twice" else len(alerts))


def test_a_mail_to_several_lists_those_that_bounce(
    send: Callable[..., str], client: "SESV2Client", clock: ManualClock
) -> None:
    """Each recipient has a fate of its own, of which GetMessageInsights shows nothing."""
    message_id = send("anna@stories.example", BOUNCES, COMPLAINS)
    clock.advance(DAY)
    assert listed(client) == [BOUNCES, COMPLAINS]
    for address in (BOUNCES, COMPLAINS):
        entry = client.get_suppressed_destination(EmailAddress=address)["SuppressedDestination"]
        assert entry["Attributes"]["MessageId"] == message_id
    with pytest.raises(client.exceptions.NotFoundException):
        client.get_message_insights(MessageId=message_id)


def test_a_mail_to_a_listed_address_is_not_attempted(
    send: Callable[..., str], client: "SESV2Client", control: Control, clock: ManualClock
) -> None:
    """Its bounce says why, and the list stays as it was."""
    first = send(BOUNCES)
    clock.advance(DAY)
    before = read(client)
    second = send(BOUNCES.capitalize())
    clock.advance(DAY)
    (bounce,) = [each for each in events_seen(client, second) if each["Type"] == "BOUNCE"]
    assert bounce["Details"]["Bounce"] == {
        "BounceType": "PERMANENT",
        "BounceSubType": "OnAccountSuppressionList",
    }
    assert read(client) == before
    entry = client.get_suppressed_destination(EmailAddress=BOUNCES)["SuppressedDestination"]
    assert entry["Attributes"]["MessageId"] == first
    assert [mail.story for mail in control.sent()] == [
        "bounce-noemail",
        "bounce-account-list-event",
    ]


def test_an_address_that_bounces_twice_is_listed_once(
    send: Callable[..., str], client: "SESV2Client", clock: ManualClock
) -> None:
    """Two mails that were under way at the same time: the first bounce lists it and stays."""
    first = send(BOUNCES)
    clock.advance(SECOND)
    send(BOUNCES)
    clock.advance(DAY)
    assert listed(client) == [BOUNCES]
    entry = client.get_suppressed_destination(EmailAddress=BOUNCES)["SuppressedDestination"]
    assert entry["Attributes"]["MessageId"] == first


def test_an_address_that_was_taken_off_the_list_is_attempted_again(
    send: Callable[..., str], client: "SESV2Client", control: Control, clock: ManualClock
) -> None:
    """And is listed anew when it bounces again; taking it off twice is a 404."""
    send(BOUNCES)
    clock.advance(DAY)
    client.delete_suppressed_destination(EmailAddress=BOUNCES)
    assert listed(client) == []
    with pytest.raises(client.exceptions.NotFoundException):
        client.delete_suppressed_destination(EmailAddress=BOUNCES)
    again = send(BOUNCES)
    clock.advance(DAY)
    entry = client.get_suppressed_destination(EmailAddress=BOUNCES)["SuppressedDestination"]
    assert entry["Attributes"]["MessageId"] == again
    assert [mail.story for mail in control.sent()] == ["bounce-noemail"] * 2


def test_the_list_comes_in_pages(
    send: Callable[..., str], client: "SESV2Client", clock: ManualClock
) -> None:
    """Every entry is on one of them, none on two; a page can be the last one and full."""
    addresses = sorted(f"bounce-noemail+{number}@stories.example" for number in range(9))
    for address in addresses:
        send(address)
    clock.advance(DAY)
    for size in (1, 3, 4, 9, 1000):
        assert sorted(listed(client, PageSize=size)) == addresses
    assert "NextToken" not in client.list_suppressed_destinations(PageSize=9)
    page = client.list_suppressed_destinations(PageSize=3)
    assert len(page["SuppressedDestinationSummaries"]) == 3
    assert page["NextToken"]


def test_pages_are_in_no_order_of_time(
    send: Callable[..., str], client: "SESV2Client", clock: ManualClock
) -> None:
    """SES promises none; code that relies on one fails here."""
    for number in range(9):
        send(f"bounce-noemail+{number}@stories.example")
        clock.advance(SECOND)
    clock.advance(DAY)
    page = client.list_suppressed_destinations()["SuppressedDestinationSummaries"]
    times = [each["LastUpdateTime"] for each in page]
    assert times not in (sorted(times), sorted(times, reverse=True))


def test_what_is_listed_between_two_pages_breaks_none(
    send: Callable[..., str], client: "SESV2Client", clock: ManualClock
) -> None:
    """All that was there when the reading began is read once."""
    early = {f"bounce-noemail+{number}@stories.example" for number in range(6)}
    for address in early:
        send(address)
    clock.advance(DAY)
    first = client.list_suppressed_destinations(PageSize=3)
    for number in range(6, 20):
        send(f"bounce-noemail+{number}@stories.example")
    clock.advance(DAY)
    second = listed(client, NextToken=first["NextToken"])
    read_first = [each["EmailAddress"] for each in first["SuppressedDestinationSummaries"]]
    assert early <= {*read_first, *second}
    assert len({*read_first, *second}) == len(read_first) + len(second)


def test_dates_and_reasons_choose_among_the_entries(
    send: Callable[..., str], client: "SESV2Client", clock: ManualClock
) -> None:
    """To the millisecond, both ends included."""
    send(BOUNCES)
    send(COMPLAINS)
    clock.advance(DAY)
    (_, _, bounced), (_, _, complained) = read(client)
    tick = timedelta(milliseconds=1)
    assert listed(client, StartDate=complained) == [COMPLAINS]
    assert listed(client, StartDate=complained + tick) == []
    assert listed(client, EndDate=bounced) == [BOUNCES]
    assert listed(client, EndDate=bounced - tick) == []
    assert listed(client, StartDate=bounced, EndDate=complained) == [BOUNCES, COMPLAINS]
    assert listed(client, Reasons=["COMPLAINT"]) == [COMPLAINS]
    assert listed(client, Reasons=["BOUNCE", "COMPLAINT"]) == [BOUNCES, COMPLAINS]


def test_an_entry_can_show_late(
    send: Callable[..., str], client: "SESV2Client", control: Control, clock: ManualClock
) -> None:
    """The list is eventually consistent: an entry tells of a time before it shows."""
    control.change(list_lag_seconds=60)
    send(BOUNCES)
    clock.advance(timedelta(seconds=61))
    assert listed(client) == []
    clock.advance(timedelta(seconds=2))
    ((_, _, at),) = read(client)
    assert clock.now() - at > timedelta(seconds=60)


def test_what_a_jump_in_time_makes_happen_is_listed_at_the_jump(
    send: Callable[..., str], client: "SESV2Client", control: Control, clock: ManualClock
) -> None:
    """By the clock, which the list goes by: neither days ahead of it nor days before."""
    send(COMPLAINS)
    control.advance(4 * DAY)
    ((_, _, at),) = read(client)
    assert abs(clock.now() - at) <= timedelta(milliseconds=1)
    send(BOUNCES)
    clock.advance(3 * SECOND)
    (_, (_, _, later)) = read(client)
    assert later - at == pytest.approx(2 * SECOND + LISTED_AFTER, abs=timedelta(milliseconds=1))


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"NextToken": "made up"}, "InvalidNextTokenException"),
        ({"PageSize": 0}, "BadRequestException"),
        ({"PageSize": 1001}, "BadRequestException"),
    ],
)
def test_a_page_that_cannot_be_is_refused(
    parameters: Any, code: str, client: "SESV2Client"
) -> None:
    """With the error of the API."""
    with pytest.raises(ClientError) as caught:
        client.list_suppressed_destinations(**parameters)
    assert caught.value.response["Error"]["Code"] == code


def test_the_account_says_which_reasons_are_on(client: "SESV2Client", control: Control) -> None:
    """Both from the start; it follows the switch."""
    said = []
    for reasons in (["BOUNCE", "COMPLAINT"], ["COMPLAINT"], []):
        control.change(suppressed_reasons=reasons)
        said.append(client.get_account()["SuppressionAttributes"]["SuppressedReasons"])
    assert said == [["BOUNCE", "COMPLAINT"], ["COMPLAINT"], []]


def test_the_account_says_what_a_new_customer_has_to_check(client: "SESV2Client") -> None:
    """Sending, the sandbox, the quota, and engagement tracking."""
    account = client.get_account()
    assert account["SendingEnabled"]
    assert account["ProductionAccessEnabled"]
    assert account["SendQuota"]["Max24HourSend"] > 0
    assert account["VdmAttributes"]["DashboardAttributes"]["EngagementMetrics"] == "ENABLED"


def test_with_a_reason_off_nothing_is_listed_for_it_and_nothing_held_back(
    send: Callable[..., str], client: "SESV2Client", control: Control, clock: ManualClock
) -> None:
    """It holds from the switch on: what bounced before stays on the list."""
    send(BOUNCES)
    clock.advance(DAY)
    control.change(suppressed_reasons=["COMPLAINT"])
    send(BOUNCES)
    send("bounce-noemail+ben@stories.example")
    send(COMPLAINS)
    clock.advance(DAY)
    control.change(suppressed_reasons=["BOUNCE", "COMPLAINT"])
    assert listed(client) == [BOUNCES, COMPLAINS]
    assert [mail.story for mail in control.sent()][1] == "bounce-noemail"


def ask(client: "SESV2Client", operation: Operation) -> None:
    """Call an operation that is not about a message."""
    match operation:
        case Operation.LIST_SUPPRESSED_DESTINATIONS:
            client.list_suppressed_destinations()
        case Operation.GET_SUPPRESSED_DESTINATION:
            client.get_suppressed_destination(EmailAddress=BOUNCES)
        case _:
            client.get_account()


@pytest.mark.usefixtures("bounced")
@pytest.mark.parametrize("operation", [LIST, GET, ACCOUNT])
def test_each_operation_has_a_limit_of_its_own(
    operation: Operation,
    client: "SESV2Client",
    control: Control,
    clock: ManualClock,
) -> None:
    """One call a second; calls of the other operations take none of its slots."""
    control.change(period_seconds=1.0)
    for other in {LIST, GET, ACCOUNT} - {operation}:
        ask(client, other)
    ask(client, operation)
    clock.advance(SECOND - timedelta(milliseconds=1))
    with pytest.raises(client.exceptions.TooManyRequestsException, match="Rate exceeded"):
        ask(client, operation)
    clock.advance(timedelta(milliseconds=1))
    ask(client, operation)
    report = control.report(operation)
    assert (report.calls, report.accepted, report.throttled) == (3, 2, 1)
    assert control.report().calls == 0


@pytest.mark.usefixtures("bounced")
@pytest.mark.parametrize("operation", [LIST, GET, ACCOUNT])
@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (FaultKind.THROTTLED, "TooManyRequestsException"),
        (FaultKind.UNAVAILABLE, "ServiceUnavailableException"),
        (FaultKind.ACCESS_DENIED, "AccessDeniedException"),
    ],
)
def test_a_fault_is_of_the_operation_that_is_named(
    operation: Operation,
    kind: FaultKind,
    code: str,
    client: "SESV2Client",
    control: Control,
) -> None:
    """Once, with the real code; refused access names the action; the other operations work."""
    control.fail(kind, 1, operation=operation)
    for other in {LIST, GET, ACCOUNT} - {operation}:
        ask(client, other)
    with pytest.raises(ClientError) as caught:
        ask(client, operation)
    error = caught.value.response["Error"]
    assert error["Code"] == code
    assert bool(re.search(rf"perform: ses:{operation} ", error["Message"])) == (
        kind is FaultKind.ACCESS_DENIED
    )
    ask(client, operation)


@pytest.mark.usefixtures("bounced")
def test_an_entry_can_be_gone_since_it_was_listed(client: "SESV2Client", control: Control) -> None:
    """The page shows it, the question for it is a 404."""
    control.fail(FaultKind.GONE, operation=GET)
    assert listed(client) == [BOUNCES]
    with pytest.raises(client.exceptions.NotFoundException):
        client.get_suppressed_destination(EmailAddress=BOUNCES)


@pytest.mark.usefixtures("bounced")
def test_an_entry_made_by_hand_has_no_id(client: "SESV2Client", control: Control) -> None:
    """It has no attributes at all."""
    control.fail(FaultKind.NO_ID, operation=GET)
    entry = client.get_suppressed_destination(EmailAddress=BOUNCES)["SuppressedDestination"]
    assert entry.keys() == {"EmailAddress", "Reason", "LastUpdateTime"}
