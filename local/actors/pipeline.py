"""A send pipeline as a team has one: sends a mail through SES and enqueues its id."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import TYPE_CHECKING, Any, Self

from local.ses_stand_in.stories import Story, address_of
from local.stack.run import LocalRun
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

    @classmethod
    def of(cls, run: LocalRun) -> Self:
        """A pipeline of a local run."""
        return cls(ses=run.ses_client(), sqs=run.session.client("sqs"), queue_url=run.queue_url)

    def send(
        self,
        story: Story,
        *,
        label: str = "",
        sender: str = SENDER,
        configuration_set: str = "shop",
    ) -> dict[str, Any]:
        """Send a mail that takes the course of `story`; returns SES's response."""
        return send_mail(
            self.ses, story, label=label, sender=sender, configuration_set=configuration_set
        )

    def enqueue(self, body: str, *, group: str = MESSAGE_GROUP) -> None:
        """Put one message id, in any form, into the queue."""
        self.sqs.send_message(QueueUrl=self.queue_url, MessageGroupId=group, MessageBody=body)


def send_mail(
    ses: SESV2Client,
    story: Story,
    *,
    label: str = "",
    sender: str = SENDER,
    configuration_set: str = "shop",
) -> dict[str, Any]:
    """Send a mail that takes the course of `story`; returns SES's response."""
    return send_to(
        ses,
        [address_of(story, label)],
        subject=f"Your order: {story.name}",
        text=story.sentence,
        sender=sender,
        configuration_set=configuration_set,
    )


def send_to(  # noqa: PLR0913 - keyword-only, as SendEmail's
    ses: SESV2Client,
    recipients: Sequence[str],
    *,
    subject: str,
    text: str = "Thank you for your order.",
    sender: str = SENDER,
    configuration_set: str = "shop",
) -> dict[str, Any]:
    """Send one mail to these addresses; returns SES's response."""
    return dict(
        ses.send_email(
            FromEmailAddress=sender,
            Destination={"ToAddresses": list(recipients)},
            Content={"Simple": {"Subject": {"Data": subject}, "Body": {"Text": {"Data": text}}}},
            EmailTags=[{"Name": "campaign", "Value": "spring"}],
            ConfigurationSetName=configuration_set,
        )
    )


def bodies_of(responses: Iterator[Mapping[str, Any]]) -> Iterator[str]:
    """Write SendEmail responses as queue bodies, in the forms of the contract in turn."""
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
