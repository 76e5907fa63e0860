"""A send pipeline as a team would have one: sends a mail through SES and enqueues its id."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, Any

from local.ses_stand_in.stories import Story, address_of
from ses_insights.contracts.names import MESSAGE_GROUP

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sqs import SQSClient


SENDER = "shop@sender.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Sends and enqueues. The queue takes an id in any of the forms of its contract."""

    ses: SESV2Client
    sqs: SQSClient
    queue_url: str

    def send(self, story: Story, *, label: str = "") -> dict[str, Any]:
        """Send a mail of which the stand-in tells `story`; returns SES's response."""
        return dict(
            self.ses.send_email(
                FromEmailAddress=SENDER,
                Destination={"ToAddresses": [address_of(story, label)]},
                Content={
                    "Simple": {
                        "Subject": {"Data": f"Your order: {story.name}"},
                        "Body": {"Text": {"Data": story.sentence}},
                    }
                },
                EmailTags=[{"Name": "campaign", "Value": "spring"}],
                ConfigurationSetName="shop",
            )
        )

    def enqueue(self, body: str) -> None:
        """Put one message id, in any form, into the queue."""
        self.sqs.send_message(
            QueueUrl=self.queue_url, MessageGroupId=MESSAGE_GROUP, MessageBody=body
        )


def bodies_of(responses: Iterator[Mapping[str, Any]]) -> Iterator[str]:
    """Write SendEmail responses as queue bodies, in each form of the contract by turns."""
    forms = cycle((_bare, _header, _as_it_is, _event, _in_sns, _in_eventbridge))
    return (form(response) for form, response in zip(forms, responses, strict=False))


def _bare(response: Mapping[str, Any]) -> str:
    return str(response["MessageId"])


def _header(response: Mapping[str, Any]) -> str:
    return f"<{response['MessageId']}@eu-west-1.amazonses.com>"


def _as_it_is(response: Mapping[str, Any]) -> str:
    return json.dumps(response)


def _event(response: Mapping[str, Any]) -> str:
    return json.dumps({"eventType": "Send", "mail": {"messageId": response["MessageId"]}})


def _in_sns(response: Mapping[str, Any]) -> str:
    return json.dumps(
        {
            "Type": "Notification",
            "MessageId": "3b1d7a52-0000-5000-8000-000000000000",  # SNS's own
            "TopicArn": "arn:aws:sns:eu-west-1:000000000000:ses-events",
            "Message": _event(response),
        }
    )


def _in_eventbridge(response: Mapping[str, Any]) -> str:
    detail = json.loads(_event(response))
    return json.dumps({"source": "aws.ses", "detail-type": "Email Sent", "detail": detail})
