"""What the service's roles may do, and who may come near its queues and topics.

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
from tests.support.probe import Call, Clients, allowed, allowed_to

NEEDED: Final = {
    "lookup": {
        "ses:GetMessageInsights",
        "dynamodb:Query on the table",
        "dynamodb:PutItem on the table",
        "dynamodb:UpdateItem on the table",
        "dynamodb:ConditionCheckItem on the table",
        "sns:Publish on the alert topic",
        "sqs:ReceiveMessage on the queue",
        "sqs:DeleteMessage on the queue",
        "sqs:GetQueueAttributes on the queue",
        "sqs:ChangeMessageVisibility on the queue",
        "sqs:SendMessage on the dead-letter queue",
        "kms:Decrypt with the topics' key",
        "kms:GenerateDataKey with the topics' key",
    },
    "followups": {
        "dynamodb:Query on the table",
        "dynamodb:Query on the index DueLooks",
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
"""By whose role it is. What the functions need of the queue includes what Lambda does for them."""

ANOTHER_ACCOUNT: Final = "111122223333"
"""The emulator takes an access key of twelve digits for the root user of that account."""

TOO_LONG: Final = "x" * (256 * 1024 + 1)
"""A message of more bytes than SNS takes."""

Calls = dict[str, Call]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What calls are aimed at, by name: the stack's parts, and others of the same kinds."""

    tables: Mapping[str, str]
    queues: Mapping[str, str]
    topics: Mapping[str, str]
    keys: Mapping[str, str]
    functions: Mapping[str, str]
    roles: Mapping[str, str]
    secret: str


@pytest.fixture(scope="module")
def places(stack: LocalRun) -> Iterator[Places]:
    """The stack's parts, and one more of each kind that is none of its business."""
    dynamodb, sqs = stack.session.client("dynamodb"), stack.session.client("sqs")
    sns, kms = stack.session.client("sns"), stack.session.client("kms")
    secrets = stack.session.client("secretsmanager")
    table = stack.outputs["TableName"]
    stack.session.client("s3").create_bucket(
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
    yield Places(
        tables={"the table": table, "another table": "others"},
        queues={
            "the queue": stack.outputs["QueueUrl"],
            "the dead-letter queue": stack.outputs["DeadLetterQueueUrl"],
            "another queue": sqs.create_queue(QueueName="others")["QueueUrl"],
        },
        topics={
            "the alert topic": stack.outputs["AlertTopicArn"],
            "the operations topic": stack.outputs["OpsTopicArn"],
            "another topic": sns.create_topic(Name="others")["TopicArn"],
        },
        keys={
            "the topics' key": _key_of_the_topics(stack),
            "another key": kms.create_key()["KeyMetadata"]["KeyId"],
        },
        functions={
            "lookup": stack.outputs["LookupFunctionName"],
            "followups": stack.outputs["FollowUpFunctionName"],
        },
        roles=_roles(stack),
        secret=secrets.create_secret(Name="others", SecretString="of others")["ARN"],
    )
    dynamodb.delete_item(TableName=table, Key=_KEY)
    dynamodb.delete_table(TableName="others")


@pytest.mark.parametrize("whose", NEEDED)
def test_a_role_may_do_what_it_is_there_for_and_nothing_else(
    stack: LocalRun, places: Places, whose: str
) -> None:
    """Of all calls a probe with the role may make those that are needed; the rest is refused."""
    functions = stack.session.client("lambda")
    assert allowed_to(places.roles[whose], functions, everything(places)) == NEEDED[whose]


def test_a_user_without_a_grant_may_do_nothing(stack: LocalRun, places: Places) -> None:
    """To be of the account opens no door of the stack."""
    assert allowed(_clients(stack, **_user(stack, "no-grant")), everything(places)) == set()


def test_another_account_is_refused(stack: LocalRun, places: Places) -> None:
    """Its root user comes near no queue and no topic: what is open to all would be open to it."""
    foreign = _clients(stack, aws_access_key_id=ANOTHER_ACCOUNT, aws_secret_access_key=ACCESS_KEY)
    assert foreign("sts").get_caller_identity()["Account"] == ANOTHER_ACCOUNT
    assert allowed(foreign, doors(places)) == set()


def test_whoever_it_is_is_refused_without_tls(stack: LocalRun, places: Places) -> None:
    """Who may do everything with the queues and the topics may do nothing over plain HTTP."""
    insider = _user(stack, "insider", "sqs:*", "sns:*")
    clients = _clients(stack, **insider)
    assert allowed(clients, doors(places)) == doors(places).keys()
    assert allowed(_in_plain_http(clients), doors(places)) == set()


def test_the_emulator_answers_no_plain_http(stack: LocalRun) -> None:
    """So nothing else in these tests has gone over it."""
    address = urlsplit(stack.sandbox.aws_url)
    connection = HTTPConnection(str(address.hostname), address.port, timeout=10)
    connection.request("GET", "/_ministack/ready")
    with pytest.raises(RemoteDisconnected):
        connection.getresponse()
    connection.close()


# What is tried. AWS asks IAM before it looks at a request, so most of what would leave something
# behind is malformed: who is allowed it gets an error of another kind.

_KEY: Final[Mapping[str, Any]] = {"MessageId": {"S": "#probe"}, "Record": {"S": "PROBE"}}


def everything(places: Places) -> Calls:
    """One call or more for each service and resource that a role could have been given too much of.

    The destructive ones come last.
    """
    calls = _ask_and_send_mail() | _elsewhere(places)
    for name, table in places.tables.items():
        calls |= _with_table(name, table)
    for index in ("ByDestination", "ByStatus", "DueLooks"):
        calls |= _with_index(index, places.tables["the table"])
    for name, url in places.queues.items():
        calls |= _with_queue(name, url)
    for name, arn in places.topics.items():
        calls |= _with_topic(name, arn)
    for name, key in places.keys.items():
        calls |= _with_key(name, key)
    for name, function in places.functions.items():
        calls |= _with_function(name, function)
    for name, role in places.roles.items():
        calls |= _with_role(name, role)
    for name, table in places.tables.items():
        calls[f"dynamodb:DeleteTable on {name}"] = _call(
            "dynamodb", "delete_table", TableName=table
        )
    return calls


def doors(places: Places) -> Calls:
    """What could be done with the queues and topics of the stack."""
    return (
        _with_queue("the queue", places.queues["the queue"])
        | _with_queue("the dead-letter queue", places.queues["the dead-letter queue"])
        | _with_topic("the alert topic", places.topics["the alert topic"])
        | _with_topic("the operations topic", places.topics["the operations topic"])
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


def _with_index(index: str, table: str) -> Calls:
    keys = {"ByDestination": "Destination", "ByStatus": "Status", "DueLooks": "DueLane"}
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
        "ses:PutAccountVdmAttributes": sesv2(
            "put_account_vdm_attributes", VdmAttributes={"VdmEnabled": "ENABLED"}
        ),
        "ses:PutSuppressedDestination": sesv2(
            "put_suppressed_destination", EmailAddress="anna@recipient.example", Reason="BOUNCE"
        ),
    }


def _elsewhere(places: Places) -> Calls:
    """Services that neither function uses."""
    event = {"Source": "probe", "DetailType": "probe", "Detail": "{}"}
    return {
        "s3:ListAllMyBuckets": _call("s3", "list_buckets"),
        "s3:GetObject": _call("s3", "get_object", Bucket="others", Key="key"),
        "s3:PutObject": _call("s3", "put_object", Bucket="others", Key="key", Body="body"),
        "secretsmanager:GetSecretValue": _call(
            "secretsmanager", "get_secret_value", SecretId=places.secret
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


def _clients(stack: LocalRun, **who: Any) -> Clients:
    """Clients of somebody else than the emulator's root user."""
    return cache(partial(stack.session.client, **who))


def _in_plain_http(clients: Clients) -> Clients:
    """Let requests look to the emulator as if they had come over plain HTTP.

    It believes what a proxy in front of it would say; policies find `aws:SecureTransport` false.
    """

    def say_so(request: AWSPreparedRequest, **_: object) -> None:
        request.headers["X-Forwarded-Proto"] = "http"

    @cache
    def client(service: str) -> Any:
        made = clients(service)
        made.meta.events.register("before-send", say_so)
        return made

    return client


def _user(stack: LocalRun, name: str, *actions: str) -> dict[str, str]:
    """Credentials of a new user of the account, who may do these on all resources."""
    iam = stack.session.client("iam")
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


def _roles(stack: LocalRun) -> dict[str, str]:
    functions, scheduler = stack.session.client("lambda"), stack.session.client("scheduler")
    (entry,) = scheduler.list_schedules()["Schedules"]
    schedule = scheduler.get_schedule(Name=entry["Name"], GroupName=entry["GroupName"])
    return {
        "lookup": functions.get_function_configuration(
            FunctionName=stack.outputs["LookupFunctionName"]
        )["Role"],
        "followups": functions.get_function_configuration(
            FunctionName=stack.outputs["FollowUpFunctionName"]
        )["Role"],
        "the schedule": schedule["Target"]["RoleArn"],
    }


def _key_of_the_topics(stack: LocalRun) -> str:
    """The only key of the stack; the emulator does not tell it with the topics."""
    cloudformation = stack.session.client("cloudformation")
    resources = cloudformation.describe_stack_resources(StackName="SesInsights")
    (key,) = (
        resource["PhysicalResourceId"]
        for resource in resources["StackResources"]
        if resource["ResourceType"] == "AWS::KMS::Key"
    )
    return key
