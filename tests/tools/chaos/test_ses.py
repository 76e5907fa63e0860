"""The simulation's SES answers as the local stand-in does, which a real boto3 client asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from local.ses_stand_in.control import Control
from local.ses_stand_in.settings import Settings
from local.ses_stand_in.stories import MISSING, STORIES, address_of, told
from local.ses_stand_in.suppression import LISTED_AFTER
from tests.support.stand_in import ManualClock, stand_in_thread
from tools.chaos.calls import Caller, Faults
from tools.chaos.ses import Event, Mail, Mailbox, Ses, listed_because_of
from tools.chaos.world import START, Process, World

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

DAY: Final = 86_400.0
KNOWN: Final = ("delivered", "bounce-noemail", "complaint-abuse", "opened", "never")
UNKNOWN_ID, MALFORMED_ID = list(MISSING)[:2]


@dataclass(slots=True)
class Place:
    """A client of SES, the mails that were sent there by their stories, and the time there."""

    client: Any
    sent: Mapping[str, str]
    """Ids by story."""
    wait: Callable[[float], None]

    def page(self, **request: Any) -> tuple[list[Any], str | None]:
        """Read a page of the suppression list, a second after whatever was asked before."""
        self.wait(1.0)
        answer = self.client.list_suppressed_destinations(**request)
        return answer.get("SuppressedDestinationSummaries", []), answer.get("NextToken")

    def listed(self, **request: Any) -> list[Any]:
        """Read all pages."""
        found, token = self.page(**request)
        while token:
            more, token = self.page(**request, NextToken=token)
            found += more
        return sorted(found, key=lambda entry: str(entry["EmailAddress"]))


class Standing:
    """The local stand-in, with its clock."""

    def __init__(self, url: str, clock: ManualClock) -> None:
        self.control, self.clock = Control(url), clock
        self.client: SESV2Client = boto3.client(
            "sesv2",
            endpoint_url=url,
            config=Config(proxies={}, retries={"total_max_attempts": 1, "mode": "standard"}),
        )

    def begin(self) -> Place:
        """Send a mail of each story to an account in which nothing happened."""
        self.control.reset()
        self.clock.rewind()
        sent = {name: self.send(address_of(STORIES[name])) for name in KNOWN}
        return Place(
            self.client, sent, lambda seconds: self.clock.advance(timedelta(seconds=seconds))
        )

    def send(self, address: str) -> str:
        """Send a mail."""
        return self.client.send_email(
            FromEmailAddress="news@shop.example",
            Destination={"ToAddresses": [address]},
            Content={"Simple": {"Subject": {"Data": "Spring"}, "Body": {"Text": {"Data": "Hi"}}}},
            EmailTags=[{"Name": "campaign", "Value": "spring"}],
        )["MessageId"]


@pytest.fixture(scope="module")
def standing() -> Iterator[Standing]:
    """A stand-in that answers at once, and refuses a second call within a second."""
    clock = ManualClock(datetime.fromtimestamp(START, UTC))
    with stand_in_thread(Settings(latency_ms=(0, 0)), clock) as url:
        yield Standing(url, clock)


def simulated(tags: Mapping[str, str]) -> Place:
    """The simulation's SES, with a mail of each story."""
    world = World(0)
    mails = [mail_of(name, tags) for name in KNOWN]
    malformed = Mail(MALFORMED_ID, START, START, "", "", {}, {}, is_malformed=True)
    mailbox = Mailbox(
        world,
        mails={mail.id: mail for mail in (*mails, malformed)},
        listed=listed_because_of(mails),
    )
    caller = Caller(world, Faults(world, 0.0), Process("test"), "sesv2", 1, 1.0)
    return Place(
        Ses(caller, mailbox),
        {name: mail.id for name, mail in zip(KNOWN, mails, strict=True)},
        world.sleep,
    )


def mail_of(name: str, tags: Mapping[str, str]) -> Mail:
    """A story as the simulation has it."""
    story = STORIES[name]
    shows = story.visible_after
    return Mail(
        id=f"0102-{name}",
        sent_at=START,
        indexed_at=float("inf") if shows is None else START + shows.total_seconds(),
        sender="news@shop.example",
        subject="Spring",
        tags=tags,
        recipients={
            address: (
                story.isp or "",
                [
                    Event(START + event.after.total_seconds(), event.type, event.details)
                    for event in events
                ],
            )
            for address, events in told((address_of(story),), story)
        },
    )


@pytest.fixture
def both(standing: Standing) -> Sequence[Place]:
    """The two, with the same mail."""
    stand_in = standing.begin()
    (own,) = [mail for mail in standing.control.sent() if mail.story == "delivered"]
    assert own.sent_at.timestamp() == START
    stand_in.wait(DAY)
    tags = stand_in.client.get_message_insights(MessageId=stand_in.sent["delivered"])["EmailTags"]
    stand_in = standing.begin()
    return simulated({tag["Name"]: tag["Value"] for tag in tags}), stand_in


@pytest.fixture(params=["simulated", "stand-in"])
def place(request: pytest.FixtureRequest, both: Sequence[Place]) -> Place:
    """Each of them."""
    own, stand_in = both
    return own if request.param == "simulated" else stand_in


def refusal(call: Callable[[], object]) -> tuple[str, int]:
    """Code and status of the error in which a call ends."""
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response
    return error["Error"]["Code"], error["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("name", [name for name in KNOWN if STORIES[name].visible_after])
@pytest.mark.parametrize("after", [400.0, DAY, 20 * DAY])
def test_an_answer_has_the_same_parts(both: Sequence[Place], name: str, after: float) -> None:
    """Names, types and values; the events of a recipient in any order."""
    answers = []
    for place in both:
        place.wait(after)
        answer = place.client.get_message_insights(MessageId=place.sent[name])
        assert answer.pop("MessageId") == place.sent[name]
        answer.pop("ResponseMetadata", None)
        for insight in answer["Insights"]:
            for event in insight["Events"]:
                event["Timestamp"] = event["Timestamp"].astimezone(UTC)
            insight["Events"].sort(key=repr)
        answers.append(answer)
    assert answers[0] == answers[1]


@pytest.mark.parametrize("after", [0.0, DAY, 31 * DAY])
def test_what_ses_does_not_show_is_not_found(place: Place, after: float) -> None:
    """Never, not yet, or no more."""
    place.wait(after + 1)
    name = "never" if after == DAY else "delivered"
    message_id = place.sent[name]
    assert refusal(lambda: place.client.get_message_insights(MessageId=message_id)) == (
        "NotFoundException",
        404,
    )


@pytest.mark.parametrize(
    ("message_id", "expected"),
    [(UNKNOWN_ID, ("NotFoundException", 404)), (MALFORMED_ID, ("BadRequestException", 400))],
)
def test_an_id_that_was_never_given_out_is_refused(
    place: Place, message_id: str, expected: tuple[str, int]
) -> None:
    """By its form."""
    assert refusal(lambda: place.client.get_message_insights(MessageId=message_id)) == expected


def test_a_call_within_a_second_of_the_last_one_that_was_taken_is_refused(place: Place) -> None:
    """It takes no slot itself; an answer that is an error does."""

    def ask() -> object:
        return place.client.get_message_insights(MessageId=UNKNOWN_ID)

    said = []
    for wait in (0.0, 0.5, 0.55, 0.5):
        place.wait(wait)
        said.append(refusal(ask))
    taken, refused = ("NotFoundException", 404), ("TooManyRequestsException", 429)
    assert said == [taken, refused, taken, refused]


def test_the_list_names_each_address_with_its_reason(both: Sequence[Place]) -> None:
    """Once it shows, on whatever pages, with the time of its listing."""
    listed = []
    for place in both:
        place.wait(20 * DAY)
        listed.append(place.listed(StartDate=datetime.fromtimestamp(START, UTC)))
    for entries in listed:
        assert [(each["EmailAddress"], each["Reason"]) for each in entries] == [
            (address_of(STORIES["bounce-noemail"]), "BOUNCE"),
            (address_of(STORIES["complaint-abuse"]), "COMPLAINT"),
        ]
    for one, other in zip(*listed, strict=True):
        assert one.keys() == other.keys()
        late = other["LastUpdateTime"] - one["LastUpdateTime"]
        assert abs(late) <= LISTED_AFTER


def test_dates_choose_among_the_entries(place: Place) -> None:
    """Both ends included."""
    place.wait(20 * DAY)
    early, late = sorted(
        entry["LastUpdateTime"]
        for entry in place.listed(StartDate=datetime.fromtimestamp(START, UTC))
    )
    tick = timedelta(milliseconds=1)

    def chosen(**dates: datetime) -> list[datetime]:
        return sorted(entry["LastUpdateTime"] for entry in place.listed(**dates))

    assert chosen(StartDate=early, EndDate=late) == [early, late]
    assert chosen(StartDate=early + tick) == [late]
    assert chosen(StartDate=early, EndDate=late - tick) == [early]
    assert chosen(StartDate=late + tick) == []


def test_the_list_comes_in_pages(place: Place) -> None:
    """Each but the last one with a token, all together each address once."""
    place.wait(20 * DAY)
    begin = datetime.fromtimestamp(START, UTC)
    found, token, pages = [], None, 0
    while pages == 0 or token:
        more: dict[str, Any] = {"NextToken": token} if token else {}
        page, token = place.page(StartDate=begin, PageSize=1, **more)
        assert len(page) <= 1
        found += page
        pages += 1
    assert len({entry["EmailAddress"] for entry in found}) == len(found) == 2


def test_an_entry_says_which_mail_put_it_there(both: Sequence[Place]) -> None:
    """With the parts that the stand-in's has."""
    entries = []
    address = address_of(STORIES["bounce-noemail"])
    for place in both:
        place.wait(DAY)
        entry = place.client.get_suppressed_destination(EmailAddress=address)
        found = entry["SuppressedDestination"]
        assert (found["EmailAddress"], found["Reason"]) == (address, "BOUNCE")
        assert found["Attributes"]["MessageId"] == place.sent["bounce-noemail"]
        entries.append(found)
    assert entries[0].keys() == entries[1].keys()
    assert entries[0]["Attributes"].keys() == entries[1]["Attributes"].keys()


def test_an_address_that_is_not_listed_is_not_found(place: Place) -> None:
    """A 404."""
    address = address_of(STORIES["delivered"])
    assert refusal(lambda: place.client.get_suppressed_destination(EmailAddress=address)) == (
        "NotFoundException",
        404,
    )


def test_an_operation_of_the_list_is_taken_once_a_second(place: Place) -> None:
    """The others take none of its slots."""
    place.wait(1.0)
    place.client.get_account()
    place.client.list_suppressed_destinations(StartDate=datetime.fromtimestamp(START, UTC))
    assert refusal(place.client.get_account) == ("TooManyRequestsException", 429)
    place.wait(1.0)
    place.client.get_account()


def test_the_account_says_for_which_reasons_addresses_are_listed(place: Place) -> None:
    """Both."""
    answer = place.client.get_account()
    assert answer["SuppressionAttributes"]["SuppressedReasons"] == ["BOUNCE", "COMPLAINT"]
