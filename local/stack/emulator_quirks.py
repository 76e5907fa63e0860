"""Where the emulator differs from AWS in a way that has to be made up for, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping

import boto3


def allow_batches(session: boto3.Session, outputs: Mapping[str, str]) -> None:
    """Allow the action that ministack asks for where followups sends a batch.

    In AWS whoever may do sqs:SendMessage may do so in batches; an action sqs:SendMessageBatch does
    not exist, so the stack cannot name it:
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api-actions.html
    """
    queue = session.client("sqs").get_queue_attributes(
        QueueUrl=outputs["QueueUrl"], AttributeNames=["QueueArn"]
    )
    function = session.client("lambda").get_function_configuration(
        FunctionName=outputs["FollowUpFunctionName"]
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
