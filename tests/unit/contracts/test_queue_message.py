"""From a queue message's body to the id, and what is refused."""

import json
import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ses_insights.contracts.queue_message import (
    BodyError,
    LookRequest,
    SetUpMessage,
    due_body,
    read_body,
)
from ses_insights.domain.listing import Feedback
from tests.support.strategies import MESSAGE_ID

SES_EVENT: dict[str, Any] = {
    "eventType": "Delivery",
    "mail": {"messageId": MESSAGE_ID, "destination": ["ada@example.com"]},
    "delivery": {"timestamp": "2026-11-23T10:00:01.000Z"},
}
EVENTBRIDGE: dict[str, Any] = {
    "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
    "source": "aws.ses",
    "detail-type": "Email Delivered",
    "detail": SES_EVENT,
}


def in_sns(message: Any) -> str:
    """Wrap a message as SNS does. The envelope has a MessageId of its own, a UUID."""
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": "arn:aws:sns:eu-west-1:123456789012:ses-events",
            "Message": message if isinstance(message, str) else json.dumps(message),
        }
    )


UUID = "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324"
"""The id of an SNS or SQS message, which is not SES's."""


def sqs_record(body: str) -> dict[str, Any]:
    """Wrap a body as Lambda gets it from SQS."""
    return {"messageId": UUID, "receiptHandle": "x", "eventSource": "aws:sqs", "body": body}


def invocation(response: Any, *, payload: Any = None) -> dict[str, Any]:
    """What Lambda tells of an asynchronous invocation, as its documentation has it."""
    return {
        "version": "1.0",
        "timestamp": "2026-11-23T10:00:01.000Z",
        "requestContext": {"requestId": UUID, "condition": "Success"},
        "requestPayload": payload or {"order": 7},
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST"},
        "responsePayload": response,
    }


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(MESSAGE_ID, id="bare"),
        pytest.param(f"  {MESSAGE_ID}\n", id="bare, from echo"),
        pytest.param(f"<{MESSAGE_ID}@email.amazonses.com>", id="header"),
        pytest.param(f"<{MESSAGE_ID}@amazonses.com>", id="header of no host"),
        pytest.param(f"{MESSAGE_ID}@email.amazonses.com", id="header without brackets"),
        pytest.param(json.dumps({"MessageId": MESSAGE_ID}), id="MessageId"),
        pytest.param(json.dumps({"messageId": MESSAGE_ID}), id="messageId"),
        pytest.param(
            json.dumps({"MessageId": MESSAGE_ID, "ResponseMetadata": {"HTTPStatusCode": 200}}),
            id="SendEmail response",
        ),
        pytest.param(
            json.dumps({"messageId": f" <{MESSAGE_ID}@email.amazonses.com> "}), id="header in JSON"
        ),
        pytest.param(json.dumps({"MessageId": f" {MESSAGE_ID}\n"}), id="spaces in JSON"),
        pytest.param("\n" + json.dumps({"MessageId": MESSAGE_ID}, indent=2), id="indented JSON"),
        pytest.param(
            json.dumps({"MessageId": MESSAGE_ID, "Message": "sent"}), id="a Message that is no SNS"
        ),
        pytest.param(
            json.dumps({"MessageId": MESSAGE_ID, "TopicArn": "arn"}), id="a TopicArn that is no SNS"
        ),
        pytest.param(json.dumps(SES_EVENT), id="SES event"),
        pytest.param(json.dumps({**SES_EVENT, "MessageId": "x" * 20}), id="the mail's own id wins"),
        pytest.param(in_sns(SES_EVENT), id="SES event in SNS"),
        pytest.param(json.dumps(EVENTBRIDGE), id="SES event in EventBridge"),
        pytest.param(in_sns(EVENTBRIDGE), id="SES event in EventBridge in SNS"),
        # From other programs
        pytest.param(f"\ufeff{MESSAGE_ID}\r\n", id="byte order mark"),
        pytest.param('\ufeff{"MessageId": "' + MESSAGE_ID + '"}', id="byte order mark, JSON"),
        pytest.param(f'"{MESSAGE_ID}"', id="JSON string"),
        pytest.param(json.dumps(f" {MESSAGE_ID}\n"), id="JSON string with blanks"),
        pytest.param(json.dumps(json.dumps(MESSAGE_ID)), id="JSON string, encoded twice"),
        pytest.param(json.dumps(json.dumps({"MessageId": MESSAGE_ID})), id="JSON in a string"),
        pytest.param(f"<{MESSAGE_ID}>", id="in brackets"),
        pytest.param(f'"<{MESSAGE_ID}>"', id="in brackets, in quotes"),
        pytest.param(f"250 Ok {MESSAGE_ID}", id="SMTP answer"),
        pytest.param(f"Ok {MESSAGE_ID}", id="SMTP answer without its code"),
        pytest.param(f"250-OK: {MESSAGE_ID}", id="SMTP answer in capitals"),
        pytest.param(json.dumps({"MessageId": f"250 Ok {MESSAGE_ID}"}), id="SMTP answer in JSON"),
        pytest.param(f"Message-ID: <{MESSAGE_ID}@email.amazonses.com>", id="header line"),
        pytest.param(json.dumps({"MessageId": None, "messageId": MESSAGE_ID}), id="null, then id"),
        pytest.param(json.dumps({"mail": None, "MessageId": MESSAGE_ID}), id="null mail"),
        pytest.param(
            json.dumps({"mail": {"messageId": None}, "messageId": MESSAGE_ID}), id="nulls"
        ),
        pytest.param(json.dumps({"messageid": MESSAGE_ID}), id="row of SES's export"),
        pytest.param(json.dumps([MESSAGE_ID]), id="list of one"),
        pytest.param(json.dumps([{"MessageId": MESSAGE_ID}]), id="list of one response"),
        pytest.param(in_sns(MESSAGE_ID), id="bare in SNS"),
        pytest.param(in_sns({"MessageId": MESSAGE_ID}), id="response in SNS"),
        pytest.param(json.dumps({**EVENTBRIDGE, "detail": json.dumps(SES_EVENT)}), id="as a text"),
        pytest.param(
            json.dumps({**EVENTBRIDGE, "detail": {"messageId": MESSAGE_ID}}), id="own bus"
        ),
        pytest.param(json.dumps(sqs_record(MESSAGE_ID)), id="SQS record"),
        pytest.param(json.dumps({"Records": [sqs_record(MESSAGE_ID)]}), id="SQS event"),
        pytest.param(
            json.dumps({"Records": [sqs_record(in_sns(SES_EVENT))]}), id="SES in SNS in SQS"
        ),
        pytest.param(
            json.dumps(
                {"Messages": [{"MessageId": UUID, "ReceiptHandle": "x", "Body": MESSAGE_ID}]}
            ),
            id="SQS answer to receive",
        ),
        pytest.param(
            json.dumps({"MessageId": UUID, "MD5OfBody": "x", "Body": in_sns(EVENTBRIDGE)}),
            id="SQS message",
        ),
        pytest.param(
            json.dumps(
                {"Records": [{"EventSource": "aws:sns", "Sns": json.loads(in_sns(SES_EVENT))}]}
            ),
            id="SNS event of Lambda",
        ),
        pytest.param(
            json.dumps({"BulkEmailEntryResults": [{"Status": "SUCCESS", "MessageId": MESSAGE_ID}]}),
            id="bulk response of one",
        ),
        pytest.param(
            json.dumps({"Status": [{"Status": "Success", "MessageId": MESSAGE_ID}]}),
            id="bulk response of one, of the older API",
        ),
        pytest.param(json.dumps({"message_id": MESSAGE_ID}), id="message_id"),
        pytest.param(
            json.dumps({"Message-ID": f"<{MESSAGE_ID}@email.amazonses.com>"}), id="Message-ID"
        ),
        pytest.param(
            json.dumps({"message_id": "42", "messageId": MESSAGE_ID}), id="the contract's name wins"
        ),
        pytest.param(
            json.dumps(
                {"messageId": "<b658f8ca@shop.example>", "response": f"250 Ok {MESSAGE_ID}"}
            ),
            id="SMTP answer beside the program's own id",
        ),
        pytest.param(
            json.dumps({"MessageId": MESSAGE_ID, "response": f"250 Ok {MESSAGE_ID[::-1]}"}),
            id="its own id is SES's",
        ),
        pytest.param(
            json.dumps({"MessageId": MESSAGE_ID, "Status": ["sent"], "Records": []}),
            id="lists beside the id",
        ),
        pytest.param(
            json.dumps({"messageId": f"<{MESSAGE_ID}@amazonses.com>", "response": "sent"}),
            id="a response that is no SMTP answer",
        ),
        pytest.param(
            json.dumps("\n" + json.dumps({"MessageId": MESSAGE_ID})), id="blank in string"
        ),
        pytest.param(
            json.dumps("\ufeff" + json.dumps({"MessageId": MESSAGE_ID})),
            id="byte order mark in string",
        ),
        pytest.param(f"{MESSAGE_ID},", id="comma behind"),
        pytest.param(f"250 Ok {MESSAGE_ID}.", id="dot behind"),
        pytest.param(f'"{MESSAGE_ID}",', id="JSON string, comma behind"),
        pytest.param(json.dumps({"MessageId": MESSAGE_ID}) + ",\n", id="JSON, comma behind"),
        pytest.param(f"'{MESSAGE_ID}'", id="single quotes"),
        pytest.param(f"\u200b{MESSAGE_ID}\u00a0", id="blanks of a web page"),
        pytest.param(f"Message-ID:\r\n <{MESSAGE_ID}@amazonses.com>", id="header of two lines"),
        pytest.param(json.dumps(invocation({"MessageId": MESSAGE_ID})), id="Lambda destination"),
        pytest.param(json.dumps(invocation(MESSAGE_ID)), id="Lambda destination, bare"),
        pytest.param(
            json.dumps(
                invocation(None, payload={"Records": [{"Sns": json.loads(in_sns(SES_EVENT))}]})
            ),
            id="Lambda destination of a function that returns nothing",
        ),
        pytest.param(
            json.dumps(invocation({"errorMessage": "no"}, payload=in_sns(SES_EVENT))),
            id="Lambda destination of a function that failed",
        ),
        pytest.param(
            in_sns({**EVENTBRIDGE, "detail": invocation({"MessageId": MESSAGE_ID})}),
            id="Lambda destination in EventBridge in SNS",
        ),
    ],
)
def test_every_form_of_the_contract_gives_the_id(body: str) -> None:
    """Each form a pipeline may enqueue is read to the same id, and asks for no forced look."""
    assert read_body(body) == LookRequest(MESSAGE_ID, force=False)


@pytest.mark.parametrize(
    ("body", "region"),
    [
        (f"<{MESSAGE_ID}@eu-west-1.amazonses.com>", "eu-west-1"),
        (f"{MESSAGE_ID}@EU-Central-1.amazonses.com", "eu-central-1"),
        (f"<{MESSAGE_ID}@cn-north-1.amazonses.com.cn>", "cn-north-1"),
        (f"<{MESSAGE_ID}@us-gov-west-1.amazonses.com>", "us-gov-west-1"),
        (json.dumps({"MessageId": f"<{MESSAGE_ID}@eu-west-1.amazonses.com>"}), "eu-west-1"),
        (json.dumps({**EVENTBRIDGE, "region": "eu-west-3"}), "eu-west-3"),
        (
            in_sns(
                {
                    "mail": {
                        "messageId": MESSAGE_ID,
                        "sourceArn": "arn:aws:ses:ap-south-1:1:identity/x",
                    }
                }
            ),
            "ap-south-1",
        ),
        # us-east-1 writes "email"; that is not its name, so it tells nothing.
        (f"<{MESSAGE_ID}@email.amazonses.com>", None),
        (json.dumps({**EVENTBRIDGE, "region": 5}), None),
        (json.dumps({"MessageId": MESSAGE_ID, "region": "the moon"}), None),
        (json.dumps({"mail": {"messageId": MESSAGE_ID, "sourceArn": "arn"}}), None),
        (MESSAGE_ID, None),
    ],
)
def test_the_region_that_a_body_names_is_read(body: str, region: str | None) -> None:
    """By the header's host, the event's envelope, or the identity that sent."""
    assert read_body(body) == LookRequest(MESSAGE_ID, region=region)


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(sqs_record('{"MessageId": "' + MESSAGE_ID + '", "force": true, "look": 2}')),
        json.dumps({**EVENTBRIDGE, "force": True, "detail": {**SES_EVENT, "look": 2}}),
    ],
)
def test_wishes_are_read_from_every_layer(body: str) -> None:
    """An envelope does not change what its content asks for."""
    assert read_body(body) == LookRequest(MESSAGE_ID, force=True, look=2)


@pytest.mark.parametrize(
    "body",
    [
        in_sns("Successfully validated SNS topic for Amazon SES event publishing."),
        "Successfully validated SNS topic for Amazon SES event publishing.",
        json.dumps(sqs_record("Successfully validated SNS topic for Amazon SES event publishing.")),
        json.dumps(
            {
                "Type": "SubscriptionConfirmation",
                "MessageId": UUID,
                "Token": "2336412f37fb687f5d51e6e2425c464cefdb4a6a",
                "TopicArn": "arn:aws:sns:eu-west-1:123456789012:ses-events",
                "Message": "You have chosen to subscribe to the topic …",
                "SubscribeURL": "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
            }
        ),
        json.dumps({"Type": "UnsubscribeConfirmation", "TopicArn": "arn", "Message": "You have …"}),
        in_sns(
            {
                "notificationType": "AmazonSnsSubscriptionSucceeded",
                "message": "You have successfully subscribed your Amazon SNS topic …",
            }
        ),
    ],
)
def test_what_aws_sends_at_set_up_is_told_apart(body: str) -> None:
    """It is about no mail, and nobody has to act on it; it repeats nothing of the body."""
    with pytest.raises(SetUpMessage) as notice:
        read_body(body)
    assert notice.value.slug == "SetUp"
    assert re.fullmatch(r"SetUp: S[NE]S (asks|says) [^\n]{15,60}", str(notice.value))


@pytest.mark.parametrize("length", [16, 60, 128])
def test_the_case_of_an_id_is_kept(length: int) -> None:
    """Nobody knows whether ids are case-sensitive, so none is changed, short or long."""
    mixed = ("aB3_-" * 26)[:length]
    assert read_body(f"<{mixed}@EMAIL.AmazonSES.com>").message_id == mixed


@pytest.mark.parametrize(
    ("force", "forced"),
    [(True, True), (False, False), ("true", False), (1, False), ("yes", False), (None, False)],
)
def test_only_a_true_force_forces(force: object, *, forced: bool) -> None:
    """A look is forced by the JSON value true and by nothing that resembles it."""
    assert read_body(json.dumps({"MessageId": MESSAGE_ID, "force": force})).force is forced


@pytest.mark.parametrize(
    ("due", "is_due"),
    [(True, True), (False, False), ("true", False), (1, False), ({}, False), (None, False)],
)
def test_only_a_true_due_brings_a_look_forward(due: object, *, is_due: bool) -> None:
    """What SES has published a bounce of is marked by the JSON value true and by nothing else."""
    request = read_body(json.dumps({"MessageId": MESSAGE_ID, "due": due}))
    assert request == LookRequest(MESSAGE_ID, due=is_due)


@pytest.mark.parametrize(
    ("due", "about"),
    [
        ("BOUNCE", Feedback.BOUNCE),
        ("COMPLAINT", Feedback.COMPLAINT),
        ("Bounce", Feedback.BOUNCE),
        ("Complaint", Feedback.COMPLAINT),
    ],
)
def test_a_due_says_what_has_happened(due: str, about: Feedback) -> None:
    """In the contract's spelling and in that of SES's events."""
    body = json.dumps({"MessageId": MESSAGE_ID, "due": due})
    assert read_body(body) == LookRequest(MESSAGE_ID, due=True, about=about)


@pytest.mark.parametrize("about", list(Feedback))
def test_a_body_that_brings_a_look_forward_is_read_as_it_was_written(about: Feedback) -> None:
    """Nothing but the id and what happened is in it."""
    body = due_body(MESSAGE_ID, about)
    assert read_body(body) == LookRequest(MESSAGE_ID, due=True, about=about)
    assert json.loads(body) == {"MessageId": MESSAGE_ID, "due": str(about)}


@pytest.mark.parametrize(
    ("body", "slug"),
    [
        pytest.param("", "Empty", id="empty"),
        pytest.param(" \r\n\t ", "Empty", id="blank"),
        pytest.param("�\x8b\x00\x02ÿ\x1f\x93", "NotAnId", id="random bytes"),
        pytest.param("ada@example.com", "NotAnId", id="an address"),
        pytest.param("\ufeff", "Empty", id="byte order mark alone"),
        pytest.param("[]", "NoId", id="empty list"),
        pytest.param(json.dumps([MESSAGE_ID, MESSAGE_ID]), "SeveralIds", id="list of two"),
        pytest.param(json.dumps({"Records": [{}, {}]}), "SeveralIds", id="two records"),
        pytest.param(
            json.dumps({"Messages": [sqs_record(MESSAGE_ID)] * 2}), "SeveralIds", id="two messages"
        ),
        pytest.param(
            json.dumps({"BulkEmailEntryResults": [{"MessageId": MESSAGE_ID}] * 2}),
            "SeveralIds",
            id="bulk response of two",
        ),
        pytest.param(
            json.dumps({"BulkEmailEntryResults": [{"Status": "MESSAGE_REJECTED"}]}),
            "NoId",
            id="bulk response without an id",
        ),
        pytest.param('"Zaphod"', "NotAnId", id="JSON string of something else"),
        pytest.param('["x"', "BadJson", id="half a list"),
        pytest.param(f"250 Ok {MESSAGE_ID} {MESSAGE_ID}", "NotAnId", id="SMTP answer of two"),
        pytest.param(f"550 No {MESSAGE_ID}", "NotAnId", id="SMTP answer of another kind"),
        pytest.param(
            json.dumps({"notificationType": "Received", "mail": {"messageId": "o3vrnil0e2ic28"}}),
            "ReceivedMail",
            id="mail that SES received",
        ),
        pytest.param(
            json.dumps(
                {"mail": {"messageId": "o3vrnil0e2ic28trm7d"}, "receipt": {}, "content": ""}
            ),
            "ReceivedMail",
            id="mail that SES received, without its type",
        ),
        pytest.param(
            json.dumps({"Records": [{"eventSource": "aws:ses", "ses": {"receipt": {}}}]}),
            "ReceivedMail",
            id="event of a receipt rule",
        ),
        pytest.param(",;.", "NotAnId", id="commas alone"),
        pytest.param(
            json.dumps(invocation(None, payload={"order": 7})),
            "NoId",
            id="Lambda destination, no id",
        ),
        pytest.param(
            json.dumps({"MD5OfMessageBody": "x", "MessageId": UUID}),
            "NoId",
            id="SQS answer to send",
        ),
        pytest.param(
            json.dumps({"Records": [{"eventSource": "aws:s3", "s3": {}}]}), "NoId", id="S3 event"
        ),
        pytest.param(json.dumps(sqs_record("")), "Empty", id="empty SQS record"),
        pytest.param(json.dumps({**EVENTBRIDGE, "detail": None}), "NoId", id="EventBridge, null"),
        pytest.param("[" * 9 + "1" + "]" * 9, "NoId", id="too many layers"),
        pytest.param("null", "NotAnId", id="JSON null"),
        pytest.param("{", "BadJson", id="half a JSON object"),
        pytest.param('{"MessageId": "' + MESSAGE_ID + '"} extra', "BadJson", id="JSON and more"),
        pytest.param("{}", "NoId", id="empty object"),
        pytest.param('{"MessageId": null}', "NoId", id="null id"),
        pytest.param('{"MessageId": ["' + MESSAGE_ID + '"]}', "NoId", id="list of ids"),
        pytest.param('{"MessageId": 42}', "NoId", id="number as id"),
        pytest.param('{"MessageId": 1e999}', "NoId", id="infinite number as id"),
        pytest.param('{"MessageId": ' + "9" * 5_000 + "}", "BadJson", id="number of 5,000 digits"),
        pytest.param('{"MessageId": ""}', "NotAnId", id="empty id"),
        pytest.param('{"mail": {}}', "NoId", id="event without id"),
        pytest.param('{"mail": "' + MESSAGE_ID + '"}', "NoId", id="event of another shape"),
        pytest.param('{"Records": [{"mail": {}}]}', "NoId", id="JSON of something else"),
        pytest.param(MESSAGE_ID.replace("-", " "), "NotAnId", id="spaces"),
        pytest.param(MESSAGE_ID.replace("-", "\n"), "NotAnId", id="newlines"),
        pytest.param(f"{MESSAGE_ID}\n{MESSAGE_ID}", "NotAnId", id="two ids"),
        pytest.param(MESSAGE_ID.replace("-", "/"), "NotAnId", id="slashes"),
        pytest.param("../../identities/example.com", "NotAnId", id="path upwards"),
        pytest.param("..", "NotAnId", id="dots"),
        pytest.param("0106019fa36a2608%2f%2e%2e%2f", "NotAnId", id="escaped path"),
        pytest.param("0106019fa36a2608?x=1#frag", "NotAnId", id="query"),
        pytest.param("-" * 60, "NotAnId", id="dashes only"),
        pytest.param("\uff10\uff11" * 20, "NotAnId", id="full-width digits"),
        pytest.param("0106019fa36a260", "NotAnId", id="15 characters"),
        pytest.param("a" * 129, "NotAnId", id="129 characters"),
        pytest.param("a" * 10_000, "NotAnId", id="10,000 characters"),
        pytest.param("a" * 262_144, "NotAnId", id="256 KiB"),
        pytest.param("<a@" + "a." * 131_000, "NotAnId", id="256 KiB of a header"),
        pytest.param(json.dumps({"MessageId": "a" * 262_000}), "NotAnId", id="256 KiB of JSON"),
        pytest.param('{"a":' * 52_000, "BadJson", id="256 KiB of nesting"),
        pytest.param(f"<{MESSAGE_ID}@example.com>", "NotAnId", id="another server's header"),
        pytest.param(
            f"<{MESSAGE_ID}@amazonses.com.evil.example>", "NotAnId", id="disguised header"
        ),
        pytest.param(f"<{MESSAGE_ID}@notamazonses.com>", "NotAnId", id="similar header"),
        pytest.param(in_sns("Hello!"), "NotAnId", id="text in SNS"),
        pytest.param(in_sns('{"a":' * 40_000), "BadJson", id="nesting in SNS"),
        pytest.param(in_sns([MESSAGE_ID] * 2), "SeveralIds", id="list in SNS"),
        pytest.param(in_sns("42"), "NotAnId", id="number in SNS"),
        pytest.param(in_sns('"detail-type"'), "NotAnId", id="text in quotes in SNS"),
        pytest.param(in_sns({"default": "hi"}), "NoId", id="another event in SNS: not SNS's id"),
        pytest.param('{"detail-type": "x", "MessageId": "y"}', "NoId", id="EventBridge, no detail"),
        pytest.param(json.dumps({**EVENTBRIDGE, "detail": []}), "NoId", id="EventBridge, list"),
        pytest.param(json.dumps({**EVENTBRIDGE, "detail": {}}), "NoId", id="EventBridge, empty"),
    ],
)
def test_a_body_without_an_id_is_refused_with_its_kind_of_fault(body: str, slug: str) -> None:
    """A bad body is refused by a slug for metrics and a sentence for people."""
    with pytest.raises(BodyError) as refused:
        read_body(body)
    assert refused.value.slug == slug
    assert re.fullmatch(slug + r": [^\n]{15,120}", str(refused.value))
    assert not body.strip() or body.strip() not in str(refused.value)


@pytest.mark.parametrize(
    "body",
    [
        "Zaphod",
        '{"MessageId": "Zaphod"}',
        '{"Zaphod": 1}',
        '{"Zaphod',
        in_sns("Zaphod"),
        in_sns({"Zaphod": 1}),
        json.dumps({**EVENTBRIDGE, "detail": "Zaphod"}),
    ],
)
def test_a_refusal_never_repeats_the_body(body: str) -> None:
    """Whatever was enqueued may be personal data: neither the text nor its cause repeats it."""
    with pytest.raises(BodyError) as refused:
        read_body(body)
    assert "Zaphod" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def json_values() -> st.SearchStrategy[Any]:
    """JSON values whose objects like to have the names that the contract's forms have."""
    names = ["MessageId", "messageId", "mail", "detail", "detail-type", "TopicArn", "Message"]
    ids = st.sampled_from([MESSAGE_ID, f"<{MESSAGE_ID}@email.amazonses.com>"])
    scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), ids)
    keys = st.one_of(st.sampled_from(names), st.text(max_size=3))
    return st.recursive(
        scalars,
        lambda inner: st.one_of(
            st.dictionaries(keys, inner, max_size=5),
            inner.map(json.dumps),
            st.lists(inner, max_size=2),
        ),
        max_leaves=8,
    )


@given(
    st.one_of(
        st.text(),
        json_values().map(json.dumps),
        st.dictionaries(st.just("MessageId"), json_values()).map(json.dumps),
        st.text(alphabet=f"{MESSAGE_ID}<>@.amazonses\ud800 \n", max_size=90),
    )
)
@example("{" + '"":[' * 3_000)
@example("\ud800" * 20)
def test_any_text_gives_a_safe_id_or_a_refusal(body: str) -> None:
    """No text raises anything but `BodyError`, and no id holds a sign that shapes a request."""
    try:
        request = read_body(body)
    except BodyError:
        return
    assert re.fullmatch("[A-Za-z0-9][A-Za-z0-9_-]{15,127}", request.message_id, re.ASCII)
    assert request.message_id in body


@pytest.mark.parametrize(
    ("body", "look"),
    [
        (f'{{"MessageId": "{MESSAGE_ID}", "look": 2}}', 2),
        (f'{{"MessageId": "{MESSAGE_ID}", "look": 0}}', None),
        (f'{{"MessageId": "{MESSAGE_ID}", "look": true}}', None),
        (f'{{"MessageId": "{MESSAGE_ID}", "look": "2"}}', None),
        (f'{{"MessageId": "{MESSAGE_ID}"}}', None),
        (MESSAGE_ID, None),
    ],
)
def test_a_body_can_number_its_look(body: str, look: int | None) -> None:
    """Only a number from 1 on is one; with anything else the id was enqueued by a producer."""
    assert read_body(body) == LookRequest(MESSAGE_ID, look=look)
