"""What the stack's roles may do: single actions on single resources, and nothing else."""

from __future__ import annotations

from collections import Counter

from aws_cdk.assertions import Template

OUTPUTS = ("QueueUrl", "DeadLetterQueueUrl", "TableName", "AlertTopicArn", "OpsTopicArn")

LOOKUP = {
    ("ses:GetMessageInsights", "*"),
    ("sqs:ReceiveMessage", "QueueUrl"),
    ("sqs:DeleteMessage", "QueueUrl"),
    ("sqs:GetQueueAttributes", "QueueUrl"),
    ("sqs:ChangeMessageVisibility", "QueueUrl"),
    ("sqs:SendMessage", "DeadLetterQueueUrl"),
    ("dynamodb:Query", "TableName"),
    ("dynamodb:PutItem", "TableName"),
    ("dynamodb:UpdateItem", "TableName"),
    ("dynamodb:ConditionCheckItem", "TableName"),
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
    logical_id = str(as_list(reference)[0])
    outputs = {template.find_outputs(name)[name]["Value"]["Ref"]: name for name in OUTPUTS}
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


def test_the_lookup_function_may_do_exactly_what_it_does(template: Template) -> None:
    """Not an action, not a resource more than the code uses."""
    (function,) = template.find_resources(
        "AWS::Lambda::Function", {"Properties": {"Handler": "lookup.handler"}}
    ).values()
    role = function["Properties"]["Role"]["Fn::GetAtt"][0]
    allowed = permissions(template, role)
    assert set(allowed) == LOOKUP
    assert len(allowed) == len(LOOKUP)


def test_asking_ses_is_a_policy_of_its_own(template: Template) -> None:
    """The one permission that names no resource stands alone, for a reviewer to see."""
    documents = [
        policy["Properties"]["PolicyDocument"]["Statement"]
        for policy in template.find_resources("AWS::IAM::Policy").values()
    ]
    (alone,) = (
        statements
        for statements in documents
        if any("*" in as_list(statement["Resource"]) for statement in statements)
    )
    assert [statement["Action"] for statement in alone] == ["ses:GetMessageInsights"]


def test_every_function_has_a_role_of_its_own(template: Template) -> None:
    """No role is shared, none lies about unused, none is wider by a managed or inline policy."""
    roles = template.find_resources("AWS::IAM::Role")
    used = Counter(
        function["Properties"]["Role"]["Fn::GetAtt"][0]
        for function in template.find_resources("AWS::Lambda::Function").values()
    )
    assert used == Counter(dict.fromkeys(roles, 1))
    for role in roles.values():
        assert not {"ManagedPolicyArns", "Policies"} & set(role["Properties"])
        (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_every_policy_belongs_to_one_role(template: Template) -> None:
    """A policy says what one role may do."""
    for policy in template.find_resources("AWS::IAM::Policy").values():
        assert len(policy["Properties"]["Roles"]) == 1


def test_the_first_look_finds_its_permissions(template: Template) -> None:
    """The function, and so the mapping that invokes it, is created after its policies."""
    (function,) = template.find_resources(
        "AWS::Lambda::Function", {"Properties": {"Handler": "lookup.handler"}}
    ).values()
    assert set(template.find_resources("AWS::IAM::Policy")) <= set(function["DependsOn"])
