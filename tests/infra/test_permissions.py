"""What the stack's roles may do: single actions on single resources, and nothing else."""

from __future__ import annotations

import pytest
from aws_cdk.assertions import Template

from tests.support.shown import text_of

OUTPUTS = (
    "QueueUrl",
    "DeadLetterQueueUrl",
    "TableName",
    "AlertTopicArn",
    "ChatTopicArn",
    "OpsTopicArn",
)

LOOKUP = {
    ("ses:GetMessageInsights", "*"),
    ("sqs:ReceiveMessage", "QueueUrl"),
    ("sqs:DeleteMessage", "QueueUrl"),
    ("sqs:GetQueueAttributes", "QueueUrl"),
    ("sqs:ChangeMessageVisibility", "QueueUrl"),
    ("sqs:SendMessage", "QueueUrl"),
    ("sqs:SendMessage", "DeadLetterQueueUrl"),
    ("dynamodb:Query", "TableName"),
    ("dynamodb:Query", "TableName/index/DueLooks"),
    ("dynamodb:PutItem", "TableName"),
    ("dynamodb:UpdateItem", "TableName"),
    ("dynamodb:ConditionCheckItem", "TableName"),
    ("sns:Publish", "AlertTopicArn"),
    ("kms:Decrypt", "AWS::KMS::Key"),
    ("kms:GenerateDataKey*", "AWS::KMS::Key"),
    ("logs:CreateLogStream", "AWS::Logs::LogGroup"),
    ("logs:PutLogEvents", "AWS::Logs::LogGroup"),
}

READS_THE_LIST = {
    ("ses:ListSuppressedDestinations", "*"),
    ("ses:GetSuppressedDestination", "*"),
    ("ses:GetAccount", "*"),
    ("dynamodb:ConditionCheckItem", "TableName"),
}

OF_THE_TABLES_KEY = {
    ("kms:Decrypt", "AWS::KMS::Key"),
    ("kms:DescribeKey", "AWS::KMS::Key"),
    ("kms:Encrypt", "AWS::KMS::Key"),
    ("kms:GenerateDataKey", "AWS::KMS::Key"),
    ("kms:GenerateDataKeyWithoutPlaintext", "AWS::KMS::Key"),
    ("kms:ReEncryptFrom", "AWS::KMS::Key"),
    ("kms:ReEncryptTo", "AWS::KMS::Key"),
}

FOLLOWUPS = {
    ("sqs:GetQueueAttributes", "QueueUrl"),
    ("sqs:SendMessage", "QueueUrl"),
    ("dynamodb:Query", "TableName"),
    ("dynamodb:Query", "TableName/index/DueLooks"),
    ("dynamodb:Query", "TableName/index/ByAlert"),
    ("dynamodb:PutItem", "TableName"),
    ("dynamodb:BatchGetItem", "TableName"),
    ("dynamodb:UpdateItem", "TableName"),
    ("sns:Publish", "AlertTopicArn"),
    ("kms:Decrypt", "AWS::KMS::Key"),
    ("kms:GenerateDataKey*", "AWS::KMS::Key"),
    ("logs:CreateLogStream", "AWS::Logs::LogGroup"),
    ("logs:PutLogEvents", "AWS::Logs::LogGroup"),
}


def as_list(value: object) -> list[object]:
    """Undo CloudFormation's habit of writing a list of one as the one."""
    return value if isinstance(value, list) else [value]


def meaning(template: Template, resource: object) -> str:
    """Name a policy's resource by the output it belongs to, else by its type."""
    if not isinstance(resource, dict):
        return str(resource)
    (reference,) = resource.values()
    if "Fn::Join" in resource:
        _, (whole, below) = reference
        return f"{meaning(template, whole)}{below}"
    logical_id = str(as_list(reference)[0])
    outputs = {
        found["Value"]["Ref"]: name
        for name in OUTPUTS
        for found in template.find_outputs(name).values()
    }
    resources = template.to_json()["Resources"]
    return str(outputs.get(logical_id, resources[logical_id]["Type"]))


def permissions(template: Template, role: str) -> list[tuple[str, str]]:
    """Every action and resource the policies of a role allow."""
    statements = [
        statement
        for policy in template.find_resources("AWS::IAM::Policy").values()
        if {"Ref": role} in policy["Properties"]["Roles"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
    ]
    return [
        (str(action), meaning(template, resource))
        for statement in statements
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    ]


@pytest.mark.parametrize(
    ("handler", "needed"),
    [
        ("ses_insights.handlers.lookup.handler", LOOKUP),
        ("ses_insights.handlers.followups.handler", FOLLOWUPS | READS_THE_LIST),
    ],
)
def test_a_function_may_do_exactly_what_it_does(
    template: Template, handler: str, needed: set[tuple[str, str]]
) -> None:
    """Not an action, not a resource more than the code uses."""
    assert sorted(allowed_to(template, handler)) == sorted(needed)


@pytest.mark.parametrize(
    ("handler", "needed"),
    [
        ("ses_insights.handlers.lookup.handler", LOOKUP),
        ("ses_insights.handlers.followups.handler", FOLLOWUPS),
    ],
)
def test_with_a_chat_a_function_may_publish_there_too(
    chosen: Template, handler: str, needed: set[tuple[str, str]]
) -> None:
    """One resource more, and no action, but for what the table's own key needs there.

    Where the suppression list is not read nothing that it needs is allowed.
    """
    more = {*needed, ("sns:Publish", "ChatTopicArn")}
    assert sorted(set(allowed_to(chosen, handler)) - OF_THE_TABLES_KEY) == sorted(
        more - OF_THE_TABLES_KEY
    )


@pytest.mark.parametrize("handler", ["lookup", "followups"])
def test_a_function_may_use_the_tables_own_key_through_dynamodb(
    chosen: Template, handler: str
) -> None:
    """And not by itself: its role cannot decrypt anything with it."""
    (key,) = (
        name for name in chosen.find_resources("AWS::KMS::Key") if name.startswith("Insights")
    )
    (statement,) = (
        statement
        for policy in chosen.find_resources("AWS::IAM::Policy").values()
        if policy["Properties"]["Roles"] == [{"Ref": role_of(chosen, handler)}]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Resource"] == {"Fn::GetAtt": [key, "Arn"]}
    )
    assert {(action, "AWS::KMS::Key") for action in statement["Action"]} == OF_THE_TABLES_KEY
    ((name, service),) = statement["Condition"]["StringEquals"].items()
    assert name == "kms:ViaService"
    assert text_of(service) == "dynamodb.${AWS::Region}.${AWS::URLSuffix}"


def role_of(template: Template, handler: str) -> str:
    """Logical id of a function's role."""
    (function,) = template.find_resources(
        "AWS::Lambda::Function",
        {"Properties": {"Handler": f"ses_insights.handlers.{handler}.handler"}},
    ).values()
    return str(function["Properties"]["Role"]["Fn::GetAtt"][0])


def allowed_to(template: Template, handler: str) -> list[tuple[str, str]]:
    """Every action and resource that a function's role allows."""
    (function,) = template.find_resources(
        "AWS::Lambda::Function", {"Properties": {"Handler": handler}}
    ).values()
    return permissions(template, function["Properties"]["Role"]["Fn::GetAtt"][0])


def test_the_schedule_may_start_runs_and_nothing_else(template: Template) -> None:
    """Its role lets EventBridge Scheduler, of this account, invoke this one function."""
    (schedule,) = template.find_resources("AWS::Scheduler::Schedule").values()
    target = schedule["Properties"]["Target"]
    role = target["RoleArn"]["Fn::GetAtt"][0]
    assert permissions(template, role) == [("lambda:InvokeFunction", "AWS::Lambda::Function")]
    (policy,) = (
        policy["Properties"]["PolicyDocument"]["Statement"]
        for policy in template.find_resources("AWS::IAM::Policy").values()
        if {"Ref": role} in policy["Properties"]["Roles"]
    )
    assert policy[0]["Resource"] == target["Arn"]


def test_asking_ses_is_a_policy_of_its_own(template: Template) -> None:
    """The permissions that name no resource stand alone, for a reviewer to see."""
    documents = [
        policy["Properties"]["PolicyDocument"]["Statement"]
        for policy in template.find_resources("AWS::IAM::Policy").values()
    ]
    alone = [
        sorted(str(action) for statement in statements for action in as_list(statement["Action"]))
        for statements in documents
        if any("*" in as_list(statement["Resource"]) for statement in statements)
    ]
    assert sorted(alone) == [
        ["ses:GetAccount", "ses:GetSuppressedDestination", "ses:ListSuppressedDestinations"],
        ["ses:GetMessageInsights"],
    ]


def test_everything_has_a_role_of_its_own(template: Template) -> None:
    """No role is shared or unused, and none has a managed or inline policy besides."""
    roles = template.find_resources("AWS::IAM::Role")
    functions = [
        (function["Properties"]["Role"]["Fn::GetAtt"][0], "lambda.amazonaws.com")
        for function in template.find_resources("AWS::Lambda::Function").values()
    ]
    schedules = [
        (schedule["Properties"]["Target"]["RoleArn"]["Fn::GetAtt"][0], "scheduler.amazonaws.com")
        for schedule in template.find_resources("AWS::Scheduler::Schedule").values()
    ]
    used = dict([*functions, *schedules])
    assert len(used) == len(functions) + len(schedules)
    assert set(used) == set(roles)
    for name, role in roles.items():
        assert not {"ManagedPolicyArns", "Policies"} & set(role["Properties"])
        (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": used[name]}


def test_every_policy_belongs_to_one_role(template: Template) -> None:
    """A policy says what one role may do."""
    for policy in template.find_resources("AWS::IAM::Policy").values():
        assert len(policy["Properties"]["Roles"]) == 1


def policies_of(template: Template, role: str) -> set[str]:
    """Name the policies of a role."""
    return {
        name
        for name, policy in template.find_resources("AWS::IAM::Policy").items()
        if {"Ref": role} in policy["Properties"]["Roles"]
    }


def test_a_function_finds_its_permissions(template: Template) -> None:
    """Each function, and so whatever invokes it, is created after its policies."""
    for function in template.find_resources("AWS::Lambda::Function").values():
        role = function["Properties"]["Role"]["Fn::GetAtt"][0]
        assert policies_of(template, role) <= set(function["DependsOn"])
    (schedule,) = template.find_resources("AWS::Scheduler::Schedule").values()
    role = schedule["Properties"]["Target"]["RoleArn"]["Fn::GetAtt"][0]
    assert policies_of(template, role) <= set(schedule["DependsOn"])
