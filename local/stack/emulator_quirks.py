"""Where the emulator differs from AWS so that a run has to make up for it, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping

import boto3

from ses_insights.contracts.names import Output


def allow_batches(session: boto3.Session, outputs: Mapping[str, str]) -> None:
    """Allow the action that ministack asks for where followups sends a batch.

    In AWS sqs:SendMessage covers batches; there is no action sqs:SendMessageBatch that the stack
    could name:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html
    """
    queue = session.client("sqs").get_queue_attributes(
        QueueUrl=outputs[Output.QUEUE_URL], AttributeNames=["QueueArn"]
    )
    function = session.client("lambda").get_function_configuration(
        FunctionName=outputs[Output.FOLLOW_UP_FUNCTION_NAME]
    )
    statement = {
        "Effect": "Allow",
        "Action": "sqs:SendMessageBatch",
        "Resource": queue["Attributes"]["QueueArn"],
    }
    session.client("iam").put_role_policy(
        RoleName=function["Role"].rpartition("/")[2],
        PolicyName="BatchesInTheEmulator",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
