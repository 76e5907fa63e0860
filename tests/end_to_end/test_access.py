"""What the service's roles may do, and what others may do with its queues and topics.

Asked of the deployed stack, by calls made with the rights of a role. What the emulator does not put
to IAM is not shown here: how SNS uses the topics' key, how an event source mapping reads its queue,
how a function's log is written. Actions on log groups are left out as well: the emulator compares
their ARNs without the `:*` that AWS asks for. For all of these tests/infra holds the template to
what the code uses. Requests without a signature are left out because the emulator turns them away
whatever the policies say.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from http.client import HTTPConnection, RemoteDisconnected
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import AWSPreparedRequest

from local.stack.run import LocalRun
from local.stack.sandbox import ACCESS_KEY, REGION
from ses_insights.contracts.names import DEFAULT_STACK_NAME, Index, Output
from tests.support.probe import Call, Clients, allowed, allowed_to

NEEDED: Final = {
    "lookup": {
        "ses:GetMessageInsights",
        "dynamodb:Query on the table",
        "dynamodb:Query on the index DueLooks",
        "dynamodb:PutItem on the table",
        "dynamodb:UpdateItem on the table",
        "dynamodb:ConditionCheckItem on the table",
        "sns:Publish on the alert topic",
        "sqs:ReceiveMessage on the queue",
        "sqs:DeleteMessage on the queue",
        "sqs:GetQueueAttributes on the queue",
        "sqs:ChangeMessageVisibility on the queue",
        "sqs:SendMessage on the queue",
        "sqs:SendMessage on the dead-letter queue",
        "kms:Decrypt with the topics' key",
        "kms:GenerateDataKey with the topics' key",
    },
    "followups": {
        "ses:ListSuppressedDestinations",
        "ses:GetSuppressedDestination",
        "ses:GetAccount",
        "dynamodb:ConditionCheckItem on the table",
        "dynamodb:Query on the table",
        "dynamodb:Query on the index DueLooks",
        "dynamodb:Query on the index ByAlert",
        "dynamodb:PutItem on the table",
        "dynamodb:BatchGetItem on the table",
        "dynamodb:UpdateItem on the table",
        "sns:Publish on the alert topic",
        "sqs:GetQueueAttributes on the queue",
        "sqs:SendMessage on the queue",
        "kms:Decrypt with the topics' key",
        "kms:GenerateDataKey with the topics' key",
    },
    "the schedule": {"lambda:InvokeFunction on followups"},
}
"""By role. What the functions need of the queue includes what Lambda does for them."""

ANOTHER_ACCOUNT: Final = "111122223333"
"""The emulator takes an access key of twelve digits for the root user of that account."""

TOO_LONG: Final = "x" * (256 * 1024 + 1)
"""A message of more bytes than SNS takes."""

Calls = dict[str, Call]


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """What calls are aimed at, by name: the stack's parts, and others of the same kinds."""

    tables: Mapping[str, str]
    queues: Mapping[str, str]
    topics: Mapping[str, str]
    keys: Mapping[str, str]
    functions: Mapping[str, str]
    roles: Mapping[str, str]
    secret: str


@pytest.fixture(scope="module")
def targets(run: LocalRun) -> Iterator[Targets]:
    """The stack's parts, and one more of each kind that does not belong to it."""
    dynamodb, sqs = run.session.client("dynamodb"), run.session.client("sqs")
    sns, kms = run.session.client("sns"), run.session.client("kms")
    secrets = run.session.client("secretsmanager")
    table = run.table_name
    run.session.client("s3").create_bucket(
        Bucket="others", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    dynamodb.create_table(
        TableName="others",
        KeySchema=[
            {"AttributeName": "MessageId", "KeyType": "HASH"},
            {"AttributeName": "Record", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[
            {"AttributeName": "MessageId", "AttributeType": "S"},
            {"AttributeName": "Record", "AttributeType": "S"},
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    yield Targets(
        tables={"the table": table, "another table": "others"},
        queues={
            "the queue": run.queue_url,
            "the dead-letter queue": run.dead_letter_queue_url,
            "another queue": sqs.create_queue(QueueName="others")["QueueUrl"],
        },
        topics={
            "the alert topic": run.alert_topic_arn,
            "the operations topic": run.outputs[Output.OPS_TOPIC_ARN],
            "another topic": sns.create_topic(Name="others")["TopicArn"],
        },
        keys={
            "the topics' key": _key_of_the_topics(run),
            "another key": kms.create_key()["KeyMetadata"]["KeyId"],
        },
        functions={
            "lookup": run.lookup_function,
            "followups": run.followups_function,
        },
        roles=_roles(run),
        secret=secrets.create_secret(Name="others", SecretString="of others")["ARN"],
    )
    dynamodb.delete_item(TableName=table, Key=_KEY)
    dynamodb.delete_table(TableName="others")


@pytest.mark.parametrize("whose", NEEDED)
def test_a_role_may_do_what_it_is_there_for_and_nothing_else(
    run: LocalRun, targets: Targets, whose: str
) -> None:
    """Of all calls a probe with the role may make those that are needed; the rest is refused."""
    functions = run.session.client("lambda")
    assert allowed_to(targets.roles[whose], functions, everything(targets)) == NEEDED[whose]


def test_a_user_without_a_grant_may_do_nothing(run: LocalRun, targets: Targets) -> None:
    """A user of the account without a policy is refused everything."""
    assert allowed(_clients(run, **_user(run, "no-grant")), everything(targets)) == set()


def test_another_account_is_refused(run: LocalRun, targets: Targets) -> None:
    """Its root user may use no queue and no topic: what is open to all would be open to it."""
    foreign = _clients(run, aws_access_key_id=ANOTHER_ACCOUNT, aws_secret_access_key=ACCESS_KEY)
    assert foreign("sts").get_caller_identity()["Account"] == ANOTHER_ACCOUNT
    assert allowed(foreign, queues_and_topics(targets)) == set()


def test_whoever_it_is_is_refused_without_tls(run: LocalRun, targets: Targets) -> None:
    """A user who may do everything with queues and topics may do nothing over plain HTTP."""
    insider = _user(run, "insider", "sqs:*", "sns:*")
    clients = _clients(run, **insider)
    assert allowed(clients, queues_and_topics(targets)) == queues_and_topics(targets).keys()
    assert allowed(_in_plain_http(clients), queues_and_topics(targets)) == set()


def test_the_emulator_answers_no_plain_http(run: LocalRun) -> None:
    """So nothing else in these tests has gone over it."""
    address = urlsplit(run.sandbox.aws_url)
    connection = HTTPConnection(str(address.hostname), address.port, timeout=10)
    connection.request("GET", "/_ministack/ready")
    with pytest.raises(RemoteDisconnected):
        connection.getresponse()
    connection.close()


# What is tried. AWS asks IAM before it looks at a request, so most of what would leave something
# behind is malformed: where it is allowed, the error is of another kind.

_KEY: Final[Mapping[str, Any]] = {"MessageId": {"S": "#probe"}, "Record": {"S": "PROBE"}}


def everything(targets: Targets) -> Calls:
    """One call or more for each service and resource that a role could have been given too much of.

    The destructive ones come last.
    """
    calls = _ask_and_send_mail() | _elsewhere(targets)
    for name, table in targets.tables.items():
        calls |= _with_table(name, table)
    for index in Index:
        calls |= _with_index(index, targets.tables["the table"])
    for name, url in targets.queues.items():
        calls |= _with_queue(name, url)
    for name, arn in targets.topics.items():
        calls |= _with_topic(name, arn)
    for name, key in targets.keys.items():
        calls |= _with_key(name, key)
    for name, function in targets.functions.items():
        calls |= _with_function(name, function)
    for name, role in targets.roles.items():
        calls |= _with_role(name, role)
    for name, table in targets.tables.items():
        calls[f"dynamodb:DeleteTable on {name}"] = _call(
            "dynamodb", "delete_table", TableName=table
        )
    return calls


def queues_and_topics(targets: Targets) -> Calls:
    """What could be done with the queues and topics of the stack."""
    return (
        _with_queue("the queue", targets.queues["the queue"])
        | _with_queue("the dead-letter queue", targets.queues["the dead-letter queue"])
        | _with_topic("the alert topic", targets.topics["the alert topic"])
        | _with_topic("the operations topic", targets.topics["the operations topic"])
    )


def _call(service: str, operation: str, **parameters: object) -> Call:
    return Call(service, operation, parameters)


def _with_table(name: str, table: str) -> Calls:
    dynamodb = partial(_call, "dynamodb")
    item = {"TableName": table, "Key": _KEY}
    check = {"ConditionCheck": {**item, "ConditionExpression": "attribute_not_exists(Nothing)"}}
    return {
        f"dynamodb:PutItem on {name}": dynamodb("put_item", TableName=table, Item=_KEY),
        f"dynamodb:UpdateItem on {name}": dynamodb("update_item", **item),
        f"dynamodb:Query on {name}": dynamodb(
            "query",
            TableName=table,
            KeyConditionExpression="MessageId = :id",
            ExpressionAttributeValues={":id": _KEY["MessageId"]},
        ),
        f"dynamodb:ConditionCheckItem on {name}": dynamodb(
            "transact_write_items", TransactItems=[check]
        ),
        f"dynamodb:GetItem on {name}": dynamodb("get_item", **item),
        f"dynamodb:GetItem in a transaction on {name}": dynamodb(
            "transact_get_items", TransactItems=[{"Get": item}]
        ),
        f"dynamodb:BatchGetItem on {name}": dynamodb(
            "batch_get_item", RequestItems={table: {"Keys": [_KEY]}}
        ),
        f"dynamodb:Scan on {name}": dynamodb("scan", TableName=table),
        f"dynamodb:BatchWriteItem on {name}": dynamodb(
            "batch_write_item", RequestItems={table: [{"PutRequest": {"Item": _KEY}}]}
        ),
        f"dynamodb:DeleteItem on {name}": dynamodb("delete_item", **item),
        f"dynamodb:DeleteItem in a transaction on {name}": dynamodb(
            "transact_write_items", TransactItems=[{"Delete": item}]
        ),
        f"dynamodb:DescribeTable on {name}": dynamodb("describe_table", TableName=table),
        f"dynamodb:UpdateTable on {name}": dynamodb("update_table", TableName=table),
        f"dynamodb:UpdateTimeToLive on {name}": dynamodb(
            "update_time_to_live",
            TableName=table,
            TimeToLiveSpecification={"Enabled": True, "AttributeName": "ExpiresAt"},
        ),
        f"dynamodb:CreateBackup on {name}": dynamodb(
            "create_backup", TableName=table, BackupName="probe"
        ),
    }


def _with_index(index: Index, table: str) -> Calls:
    keys = {
        Index.BY_DESTINATION: "Destination",
        Index.BY_STATUS: "Status",
        Index.BY_ALERT: "AlertType",
        Index.DUE_LOOKS: "DueLane",
    }
    where = {"TableName": table, "IndexName": index}
    return {
        f"dynamodb:Query on the index {index}": _call(
            "dynamodb",
            "query",
            **where,
            KeyConditionExpression="#key = :value",
            ExpressionAttributeNames={"#key": keys[index]},
            ExpressionAttributeValues={":value": {"S": "nothing"}},
        ),
        f"dynamodb:Scan on the index {index}": _call("dynamodb", "scan", **where),
    }


def _with_queue(name: str, url: str) -> Calls:
    sqs = partial(_call, "sqs", QueueUrl=url)
    receipt = {"ReceiptHandle": "none"}
    return {
        f"sqs:{action} on {name}": call
        for action, call in {
            "SendMessage": sqs("send_message", MessageBody="without a group"),
            "ReceiveMessage": sqs("receive_message", VisibilityTimeout=0),
            "DeleteMessage": sqs("delete_message", **receipt),
            "ChangeMessageVisibility": sqs(
                "change_message_visibility", **receipt, VisibilityTimeout=0
            ),
            "GetQueueAttributes": sqs("get_queue_attributes", AttributeNames=["All"]),
            "SetQueueAttributes": sqs("set_queue_attributes", Attributes={}),
            "AddPermission": sqs("add_permission", Label="", AWSAccountIds=[], Actions=[]),
            "PurgeQueue": sqs("purge_queue"),
        }.items()
    }


def _with_topic(name: str, arn: str) -> Calls:
    sns = partial(_call, "sns", TopicArn=arn)
    return {
        f"sns:{action} on {name}": call
        for action, call in {
            "Publish": sns("publish", Message=TOO_LONG),
            "Subscribe": sns("subscribe", Protocol=""),
            "GetTopicAttributes": sns("get_topic_attributes"),
            "SetTopicAttributes": sns("set_topic_attributes", AttributeName=""),
            "ListSubscriptionsByTopic": sns("list_subscriptions_by_topic"),
        }.items()
    }


def _with_key(name: str, key: str) -> Calls:
    kms = partial(_call, "kms", KeyId=key)
    return {
        f"kms:{action} with {name}": call
        for action, call in {
            "GenerateDataKey": kms("generate_data_key", KeySpec="AES_256"),
            "Decrypt": kms("decrypt", CiphertextBlob="no cipher text"),
            "Encrypt": kms("encrypt", Plaintext="probe"),
            "DescribeKey": kms("describe_key"),
            "PutKeyPolicy": kms("put_key_policy", Policy="no policy"),
            "DisableKey": kms("disable_key"),
        }.items()
    }


def _with_function(name: str, function: str) -> Calls:
    functions = partial(_call, "lambda", FunctionName=function)
    return {
        f"lambda:{action} on {name}": call
        for action, call in {
            "InvokeFunction": functions("invoke", InvocationType="DryRun"),
            "GetFunction": functions("get_function"),
            "UpdateFunctionConfiguration": functions("update_function_configuration"),
            "UpdateFunctionCode": functions("update_function_code", ZipFile="no archive"),
        }.items()
    }


def _with_role(name: str, arn: str) -> Calls:
    role = {"RoleName": arn.rpartition("/")[2]}
    return {
        f"iam:GetRole of {name}": _call("iam", "get_role", **role),
        f"iam:PutRolePolicy of {name}": _call(
            "iam", "put_role_policy", **role, PolicyName="probe", PolicyDocument="no policy"
        ),
        f"sts:AssumeRole of {name}": _call(
            "sts", "assume_role", RoleArn=arn, RoleSessionName="probe"
        ),
    }


def _ask_and_send_mail() -> Calls:
    to = {"ToAddresses": ["anna@recipient.example"]}
    text = {"Subject": {"Data": "Hello"}, "Body": {"Text": {"Data": "Hello"}}}
    sesv2, ses = partial(_call, "sesv2"), partial(_call, "ses")
    return {
        # The emulator does not know the operation; it says so to whom IAM lets pass.
        "ses:GetMessageInsights": sesv2("get_message_insights", MessageId="0102019fa36a2608"),
        "ses:SendEmail": sesv2(
            "send_email",
            FromEmailAddress="shop@sender.example",
            Destination=to,
            Content={"Simple": text},
        ),
        "ses:SendEmail by the older API": ses(
            "send_email", Source="shop@sender.example", Destination=to, Message=text
        ),
        "ses:SendRawEmail": ses("send_raw_email", RawMessage={"Data": "Hello"}),
        "ses:ListEmailIdentities": sesv2("list_email_identities"),
        "ses:GetAccount": sesv2("get_account"),
        "ses:ListSuppressedDestinations": sesv2("list_suppressed_destinations"),
        "ses:GetSuppressedDestination": sesv2(
            "get_suppressed_destination", EmailAddress="anna@recipient.example"
        ),
        "ses:PutAccountVdmAttributes": sesv2(
            "put_account_vdm_attributes", VdmAttributes={"VdmEnabled": "ENABLED"}
        ),
        "ses:PutSuppressedDestination": sesv2(
            "put_suppressed_destination", EmailAddress="anna@recipient.example", Reason="BOUNCE"
        ),
    }


def _elsewhere(targets: Targets) -> Calls:
    """Services that neither function uses."""
    event = {"Source": "probe", "DetailType": "probe", "Detail": "{}"}
    return {
        "s3:ListAllMyBuckets": _call("s3", "list_buckets"),
        "s3:GetObject": _call("s3", "get_object", Bucket="others", Key="key"),
        "s3:PutObject": _call("s3", "put_object", Bucket="others", Key="key", Body="body"),
        "secretsmanager:GetSecretValue": _call(
            "secretsmanager", "get_secret_value", SecretId=targets.secret
        ),
        "ssm:GetParameter": _call("ssm", "get_parameter", Name="others"),
        "iam:CreateUser": _call("iam", "create_user", UserName="probe"),
        "iam:CreateAccessKey": _call("iam", "create_access_key", UserName="probe"),
        "dynamodb:ListTables": _call("dynamodb", "list_tables"),
        "sqs:ListQueues": _call("sqs", "list_queues"),
        "sqs:CreateQueue": _call("sqs", "create_queue", QueueName="probe"),
        "sns:ListTopics": _call("sns", "list_topics"),
        "sns:CreateTopic": _call("sns", "create_topic", Name="probe"),
        "sns:Publish to a telephone": _call(
            "sns", "publish", PhoneNumber="+15555550100", Message="Hello"
        ),
        "lambda:ListFunctions": _call("lambda", "list_functions"),
        "kms:CreateKey": _call("kms", "create_key"),
        "events:PutEvents": _call("events", "put_events", Entries=[event]),
        "scheduler:ListSchedules": _call("scheduler", "list_schedules"),
        "cloudformation:DescribeStacks": _call("cloudformation", "describe_stacks"),
    }


# Who tries it


def _clients(run: LocalRun, **who: Any) -> Clients:
    """Clients of somebody else than the emulator's root user."""
    return cache(partial(run.session.client, **who))


def _in_plain_http(clients: Clients) -> Clients:
    """Let requests look to the emulator as if they had come over plain HTTP.

    It believes the header of a proxy in front of it; policies find `aws:SecureTransport` false.
    """

    def say_so(request: AWSPreparedRequest, **_: object) -> None:
        request.headers["X-Forwarded-Proto"] = "http"

    @cache
    def client(service: str) -> Any:
        made = clients(service)
        made.meta.events.register("before-send", say_so)
        return made

    return client


def _user(run: LocalRun, name: str, *actions: str) -> dict[str, str]:
    """Credentials of a new user of the account, who may do these on all resources."""
    iam = run.session.client("iam")
    iam.create_user(UserName=name)
    if actions:
        statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
        document = {"Version": "2012-10-17", "Statement": statement}
        iam.put_user_policy(UserName=name, PolicyName="grants", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return {
        "aws_access_key_id": key["AccessKeyId"],
        "aws_secret_access_key": key["SecretAccessKey"],
    }


def _roles(run: LocalRun) -> dict[str, str]:
    functions, scheduler = run.session.client("lambda"), run.session.client("scheduler")
    (entry,) = scheduler.list_schedules()["Schedules"]
    schedule = scheduler.get_schedule(Name=entry["Name"], GroupName=entry["GroupName"])
    return {
        "lookup": functions.get_function_configuration(FunctionName=run.lookup_function)["Role"],
        "followups": functions.get_function_configuration(FunctionName=run.followups_function)[
            "Role"
        ],
        "the schedule": schedule["Target"]["RoleArn"],
    }


def _key_of_the_topics(run: LocalRun) -> str:
    """The only key of the stack; the emulator does not show it with the topics."""
    cloudformation = run.session.client("cloudformation")
    resources = cloudformation.describe_stack_resources(StackName=DEFAULT_STACK_NAME)
    (key,) = (
        resource["PhysicalResourceId"]
        for resource in resources["StackResources"]
        if resource["ResourceType"] == "AWS::KMS::Key"
    )
    return key
