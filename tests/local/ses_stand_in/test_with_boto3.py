"""A real boto3 client gets from the stand-in what it would get from SES."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ParamValidationError,
    ReadTimeoutError,
)

from local.ses_stand_in.control import Control
from local.ses_stand_in.settings import Fault, FaultKind
from local.ses_stand_in.stories import MISSING, STORIES, Story, address_of
from local.ses_stand_in.wire import ShapeError, encode
from tests.support.patience import eventually
from tests.support.stand_in import ManualClock

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
NOT_FOUND = "Message ID not found for account 000000000000"
VDM_OFF = "To use this feature you must enable Virtual Deliverability Manager"
FOUND = [story for story in STORIES.values() if story.expected.status != "NOT_FOUND"]


def refusal(client: "SESV2Client", message_id: str) -> tuple[str, int, str]:
    """Code, HTTP status and text of the error a look ends in."""
    with pytest.raises(ClientError) as caught:
        client.get_message_insights(MessageId=message_id)
    error = caught.value.response
    assert error["ResponseMetadata"]["RequestId"]
    return (
        error["Error"]["Code"],
        error["ResponseMetadata"]["HTTPStatusCode"],
        error["Error"]["Message"],
    )


@pytest.mark.parametrize("story", FOUND, ids=[story.name for story in FOUND])
def test_boto3_reads_every_story_whole(
    story: Story,
    send: Callable[..., str],
    client: "SESV2Client",
    control: Control,
    clock: ManualClock,
) -> None:
    """Every event of every destination arrives under the API's own names, to the millisecond."""
    message_id = send(address_of(story, "anna"))
    sent_at = control.sent()[0].sent_at
    clock.advance(story.settled_after)
    insights = client.get_message_insights(MessageId=message_id)["Insights"]
    assert insights[0]["Destination"] == address_of(story, "anna")
    for insight, events in zip(insights, (story.events, *story.others), strict=True):
        assert insight.get("Isp") == story.isp
        assert Counter(map(repr, map(as_in_story, insight["Events"]))) == Counter(
            repr(((sent_at + event.after) if event.dated else None, event.type, event.details))
            for event in events
        )


def as_in_story(event: Any) -> tuple[object, ...]:
    """An event as boto3 parsed it, in the terms of a story."""
    at = event.get("Timestamp")
    return (at and at.astimezone(UTC), event["Type"], event.get("Details"))


def test_the_mail_comes_back_as_it_was_sent(
    send: Callable[..., str], client: "SESV2Client", clock: ManualClock
) -> None:
    """Sender, subject and tags are those of the request; SES adds its own tags."""
    message_id = send("Anna <anna@stories.example>")
    clock.advance(DAY)
    response = client.get_message_insights(MessageId=message_id)
    assert response["MessageId"] == message_id
    assert response["FromEmailAddress"] == "Shop <news@shop.example>"
    assert response["Subject"] == "Spring"
    assert response["Insights"][0]["Destination"] == "anna@stories.example"
    tags = {tag["Name"]: tag["Value"] for tag in response["EmailTags"]}
    assert (tags["campaign"], tags["ses:configuration-set"]) == ("spring", "main")
    assert response["ResponseMetadata"]["RequestId"]


@pytest.mark.parametrize(
    "recipients",
    [
        ["bounce-noemail@stories.example", "opened@stories.example"],
        ["bounce@simulator.amazonses.com"],
    ],
    ids=["several recipients", "mailbox simulator"],
)
def test_a_mail_that_ses_does_not_track_is_not_found(
    recipients: list[str], send: Callable[..., str], client: "SESV2Client", clock: ManualClock
) -> None:
    """Mail to several recipients or to SES's simulator is a 404, whatever becomes of it."""
    message_id = send(*recipients)
    clock.advance(DAY)
    assert refusal(client, message_id) == ("NotFoundException", 404, NOT_FOUND)


def test_a_mail_that_ses_does_not_track_can_show_nothing_but_send(
    send: Callable[..., str], client: "SESV2Client", clock: ManualClock
) -> None:
    """The first recipient can choose the other answer that SES may give."""
    message_id = send("untracked-send@stories.example", "opened@stories.example")
    clock.advance(DAY)
    insights = client.get_message_insights(MessageId=message_id)["Insights"]
    assert [[event["Type"] for event in insight["Events"]] for insight in insights] == [
        ["SEND"],
        ["SEND"],
    ]


def test_a_subject_of_any_characters_arrives_unchanged(
    send: Callable[..., str], client: "SESV2Client", clock: ManualClock
) -> None:
    """Line breaks, NUL and emoji pass through JSON as they are."""
    message_id = send(address_of(STORIES["hostile-subject"]))
    clock.advance(DAY)
    response = client.get_message_insights(MessageId=message_id)
    assert response["Subject"] == STORIES["hostile-subject"].subject


def test_a_mail_that_is_not_there_yet_is_not_found(
    send: Callable[..., str], client: "SESV2Client", clock: ManualClock
) -> None:
    """A look before insights show is a 404, a look after is not."""
    message_id = send("delivered@stories.example")
    assert refusal(client, message_id) == ("NotFoundException", 404, NOT_FOUND)
    clock.advance(DAY)
    assert client.get_message_insights(MessageId=message_id)["MessageId"] == message_id


@pytest.mark.parametrize("name", ["never", "expired"])
def test_a_mail_ses_does_not_know_is_never_found(
    name: str, send: Callable[..., str], client: "SESV2Client", clock: ManualClock
) -> None:
    """Untracked or forgotten: a 404 at every look."""
    message_id = send(address_of(STORIES[name]))
    for _ in range(3):
        clock.advance(DAY)
        assert refusal(client, message_id) == ("NotFoundException", 404, NOT_FOUND)


@pytest.mark.parametrize("message_id", MISSING)
def test_an_id_that_was_never_given_out_is_refused(message_id: str, client: "SESV2Client") -> None:
    """404 for an id of SES's form, 400 for any other."""
    expected = {"NOT_FOUND": ("NotFoundException", 404), "INVALID": ("BadRequestException", 400)}
    assert refusal(client, message_id)[:2] == expected[MISSING[message_id].status]


@pytest.mark.parametrize("message_id", ["a/../b", "a b", "\u00fc", "x" * 10_000, "a\nb"])
def test_an_id_of_any_characters_is_a_bad_request(message_id: str, client: "SESV2Client") -> None:
    """Path characters, blanks and great length do not lead past the operation."""
    assert refusal(client, message_id)[:2] == ("BadRequestException", 400)


def test_errors_are_the_exceptions_of_the_api(client: "SESV2Client", control: Control) -> None:
    """All three are raised as the classes that boto3 makes from the model."""
    unknown, malformed = list(MISSING)[:2]
    with pytest.raises(client.exceptions.NotFoundException):
        client.get_message_insights(MessageId=unknown)
    with pytest.raises(client.exceptions.BadRequestException):
        client.get_message_insights(MessageId=malformed)
    control.fail(FaultKind.THROTTLED, 1)
    with pytest.raises(client.exceptions.TooManyRequestsException):
        client.get_message_insights(MessageId=unknown)


def test_the_account_says_whether_vdm_is_on(client: "SESV2Client", control: Control) -> None:
    """It follows the switch."""
    said = []
    for vdm in (True, False):
        control.change(vdm=vdm)
        said.append(client.get_account()["VdmAttributes"]["VdmEnabled"])
    assert said == ["ENABLED", "DISABLED"]


def test_with_vdm_off_every_id_is_not_found(
    send: Callable[..., str], client: "SESV2Client", control: Control, clock: ManualClock
) -> None:
    """A known, an unknown and a malformed id get the same 404, which names the cause."""
    message_id = send("delivered@stories.example")
    clock.advance(DAY)
    control.change(vdm=False)
    for any_id in (message_id, *MISSING):
        assert refusal(client, any_id) == ("NotFoundException", 404, VDM_OFF)
    control.change(vdm=True)
    assert client.get_message_insights(MessageId=message_id)["MessageId"] == message_id


def test_vdm_off_can_be_a_bad_request(client: "SESV2Client", control: Control) -> None:
    """With the same sentence, as SES says it for CreateExportJob."""
    control.change(vdm=False, vdm_off_status=400)
    assert refusal(client, next(iter(MISSING))) == ("BadRequestException", 400, VDM_OFF)


def test_a_look_less_than_the_period_after_the_last_accepted_one_is_throttled(
    client: "SESV2Client", control: Control, clock: ManualClock
) -> None:
    """A 429 one millisecond early, an answer at the full period, and no burst."""
    control.change(period_seconds=1.0)
    unknown = next(iter(MISSING))
    codes = []
    for milliseconds in (0, 999, 1, 500, 500, 0):
        clock.advance(timedelta(milliseconds=milliseconds))
        codes.append(refusal(client, unknown)[1])
    assert codes == [404, 429, 404, 429, 404, 429]
    report = control.report()
    assert (report.calls, report.accepted, report.throttled) == (6, 3, 3)
    assert (report.closest, report.slots, report.used) == (0.0, 3, 1.0), "of all calls"


def test_the_limit_comes_before_vdm(client: "SESV2Client", control: Control) -> None:
    """A look with VDM off takes a slot like any other."""
    control.change(period_seconds=1.0, vdm=False)
    assert [refusal(client, next(iter(MISSING)))[1] for _ in range(2)] == [404, 429]


def test_a_new_report_does_not_open_a_slot(client: "SESV2Client", control: Control) -> None:
    """Forgetting the calls empties the report; the rate limit remembers the last one."""
    control.change(period_seconds=1.0)
    assert refusal(client, next(iter(MISSING)))[1] == 404
    control.forget_calls()
    assert refusal(client, next(iter(MISSING)))[1] == 429
    assert control.report().calls == 1


def test_a_request_counts_when_it_arrives_not_when_it_is_answered(
    client: "SESV2Client", control: Control, clock: ManualClock
) -> None:
    """The way there comes before the stamp, the latency of the answer after it."""
    control.change(travel_ms=(300, 300), latency_ms=(4000, 4000))
    began = clock.monotonic()
    refusal(client, next(iter(MISSING)))
    assert control.calls()[0].arrival == pytest.approx(began + 0.3)
    assert clock.monotonic() == pytest.approx(began + 4.3)


def test_latency_stays_within_its_bounds_and_varies(
    client: "SESV2Client", control: Control, clock: ManualClock
) -> None:
    """Between 20 and 120 ms, no two alike."""
    control.change(latency_ms=(20, 120))
    taken = []
    for _ in range(10):
        began = clock.monotonic()
        refusal(client, next(iter(MISSING)))
        taken.append(clock.monotonic() - began)
    assert all(0.02 <= seconds <= 0.12 for seconds in taken)
    assert len(set(taken)) == 10


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [
        (FaultKind.THROTTLED, "TooManyRequestsException", 429),
        (FaultKind.INTERNAL, "InternalFailure", 500),
        (FaultKind.UNAVAILABLE, "ServiceUnavailableException", 503),
        (FaultKind.ACCESS_DENIED, "AccessDeniedException", 403),
        (FaultKind.EXPIRED_CREDENTIALS, "ExpiredTokenException", 403),
    ],
)
def test_a_fault_that_is_an_answer(
    kind: FaultKind, code: str, status: int, client: "SESV2Client", control: Control
) -> None:
    """For the next two looks the error has the real code and status, then all is well."""
    control.fail(kind, 2)
    answers = [refusal(client, next(iter(MISSING)))[:2] for _ in range(3)]
    assert answers == [(code, status), (code, status), ("NotFoundException", 404)]


def test_a_reset_is_a_closed_connection(client: "SESV2Client", control: Control) -> None:
    """boto3 raises what it raises when a connection is cut."""
    control.fail(FaultKind.RESET, 1)
    with pytest.raises(ConnectionClosedError):
        client.get_message_insights(MessageId=next(iter(MISSING)))
    assert refusal(client, next(iter(MISSING)))[1] == 404
    assert control.report().statuses == {"none": 1, "404": 1}


def test_a_hang_is_a_read_timeout(impatient_client: "SESV2Client", control: Control) -> None:
    """No answer comes, and the call counts."""
    control.fail(FaultKind.HANG)

    def is_counted() -> bool:
        # On a busy machine a request may be given up before the stand-in has read it.
        with pytest.raises(ReadTimeoutError):
            impatient_client.get_message_insights(MessageId=next(iter(MISSING)))
        return control.report().calls > 0

    eventually(is_counted)
    report = control.report()
    assert report.accepted == report.faults == report.calls
    assert report.statuses == {"none": report.calls}


def test_a_fault_stays_until_it_is_healed(client: "SESV2Client", control: Control) -> None:
    """Without a number it holds for every look."""
    control.fail(FaultKind.UNAVAILABLE)
    assert [refusal(client, next(iter(MISSING)))[1] for _ in range(3)] == [503, 503, 503]
    control.heal()
    assert refusal(client, next(iter(MISSING)))[1] == 404


def test_faults_keep_the_pace_honest(
    client: "SESV2Client", control: Control, clock: ManualClock
) -> None:
    """A fault takes a slot, a switched-on 429 takes none, an early call spends no fault."""
    control.change(
        period_seconds=1.0, faults=(Fault(FaultKind.THROTTLED, 1), Fault(FaultKind.INTERNAL, 2))
    )
    codes = []
    for milliseconds in (0, 0, 500, 500):
        clock.advance(timedelta(milliseconds=milliseconds))
        codes.append(refusal(client, next(iter(MISSING)))[1])
    assert codes == [429, 500, 429, 500]
    report = control.report()
    assert (report.accepted, report.throttled, report.faults) == (2, 1, 3)


def test_speed_holds_for_mail_sent_from_then_on(
    send: Callable[..., str], client: "SESV2Client", control: Control, clock: ManualClock
) -> None:
    """A mail keeps the speed of its send, so that what SES said once stays said."""
    slow = send("complaint-late@stories.example")
    control.change(speed=3600)
    fast = send("complaint-late@stories.example")
    clock.advance(timedelta(minutes=5))
    events = {
        message_id: len(client.get_message_insights(MessageId=message_id)["Insights"][0]["Events"])
        for message_id in (slow, fast)
    }
    assert events == {slow: 2, fast: 4}


def test_time_passes_in_stories_when_it_is_let_pass(
    send: Callable[..., str], client: "SESV2Client", control: Control, clock: ManualClock
) -> None:
    """In mail that was sent and in mail that follows; a reset ends it."""
    message_id = send("complaint-late@stories.example")
    control.advance(timedelta(minutes=5))
    insights = client.get_message_insights(MessageId=message_id)["Insights"]
    assert len(insights[0]["Events"]) == 2
    control.advance(timedelta(days=5))
    insights = client.get_message_insights(MessageId=message_id)["Insights"]
    assert len(insights[0]["Events"]) == 4
    send("delivered@stories.example")
    assert control.sent()[1].sent_at - clock.now() > 5 * DAY
    control.reset()
    send("delivered@stories.example")
    assert control.sent()[0].sent_at <= clock.now()


def test_a_story_can_be_made_to_end_now(
    send: Callable[..., str], client: "SESV2Client", control: Control, clock: ManualClock
) -> None:
    """What was to come happens at once, and lists the address; other mail is as before."""
    mails = [send(f"complaint-late+{number}@stories.example") for number in range(2)]
    clock.advance(timedelta(minutes=5))
    control.finish(mails[0])
    clock.advance(SECOND)
    insights = [client.get_message_insights(MessageId=each)["Insights"][0] for each in mails]
    assert [len(insight["Events"]) for insight in insights] == [4, 2]
    ended = [event["Timestamp"] for event in insights[0]["Events"] if event["Type"] == "COMPLAINT"]
    assert abs(clock.now() - SECOND - ended[0]) < timedelta(milliseconds=1)
    (entry,) = client.list_suppressed_destinations()["SuppressedDestinationSummaries"]
    assert entry["EmailAddress"] == "complaint-late+0@stories.example"


def test_the_mail_that_was_sent_is_listed(
    send: Callable[..., str], control: Control, clock: ManualClock
) -> None:
    """Each mail is listed with its story, when it is settled, and what must become of it."""
    story = STORIES["complaint-late"]
    message_id = send(address_of(story, "anna"))
    (sent,) = control.sent()
    assert (sent.message_id, sent.story, sent.expected) == (message_id, story.name, story.expected)
    assert sent.recipients == (address_of(story, "anna"),)
    assert timedelta(0) <= clock.now() - sent.sent_at < timedelta(milliseconds=1)
    assert sent.settled_at == sent.sent_at + story.settled_after


@pytest.mark.parametrize(
    "request_",
    [
        {"FromEmailAddress": ""},
        {"Destination": {}},
        {"Destination": {"ToAddresses": [""]}},
        {"Destination": {"ToAddresses": [f"{'a' * 320}@a.example"]}},
        {"Content": {"Template": {"TemplateName": "spring"}}},
        {"Content": {"Simple": {"Subject": {"Data": "x" * 999}, "Body": {}}}},
    ],
    ids=[
        "no sender",
        "no recipient",
        "empty recipient",
        "long address",
        "template",
        "long subject",
    ],
)
def test_a_mail_that_cannot_be_taken_is_a_bad_request(
    request_: Any, client: "SESV2Client", control: Control
) -> None:
    """Nothing is sent, and the message says what is wrong."""
    simple = {"Simple": {"Subject": {"Data": "Spring"}, "Body": {"Text": {"Data": "Hi"}}}}
    good = {
        "FromEmailAddress": "news@shop.example",
        "Destination": {"ToAddresses": ["anna@stories.example"]},
        "Content": simple,
    }
    with pytest.raises(client.exceptions.BadRequestException, match=r": .{20,}"):
        client.send_email(**{**good, **request_})
    assert control.sent() == []


def test_a_response_that_does_not_fit_the_model_is_not_sent() -> None:
    """A name or a type that botocore's model does not have is found before the wire."""
    for wrong in ({"Recipient": "a"}, {"MessageId": 7}, {"Insights": [{"Events": [{"At": 1}]}]}):
        with pytest.raises(ShapeError, match="GetMessageInsights output"):
            encode("GetMessageInsights", wrong)


def test_boto3_still_checks_what_it_sends(client: "SESV2Client") -> None:
    """The client is the real one: it refuses a request of the wrong shape by itself."""
    with pytest.raises(ParamValidationError):
        client.get_message_insights()  # type: ignore[call-arg]
