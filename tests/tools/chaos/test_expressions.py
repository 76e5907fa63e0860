"""The simulation's DynamoDB does what moto's does with the expressions that the service uses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.support.tables import make_table
from tools.chaos.calls import Caller, Faults
from tools.chaos.dynamodb import DynamoDb, Table
from tools.chaos.expressions import ExpressionError, condition, updated
from tools.chaos.world import Process, World

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

NAME: Final = "Insights"
KEY: Final = {"MessageId": {"S": "m"}, "Record": {"S": "MESSAGE"}}
ROW: Final = {
    **KEY,
    "Looks": {"N": "2"},
    "NextLookAt": {"S": "2026-11-23T10:00:00.000Z"},
    "DueLane": {"S": "alert"},
    "Note": {"S": "a note"},
}


def in_memory() -> DynamoDb:
    """The simulation's client, with an empty table."""
    world = World(0)
    caller = Caller(world, Faults(world, 0.0), Process("test"), "dynamodb", 1, 1.0)
    return DynamoDb(caller, Table(world, longest_lag=0.0))


@pytest.fixture(scope="module")
def of_moto() -> Iterator[DynamoDBClient]:
    """Moto's client, with a table."""
    with mock_aws():
        client = boto3.client("dynamodb")
        make_table(client, NAME)
        yield client


@pytest.fixture
def moto(of_moto: DynamoDBClient) -> DynamoDBClient:
    """Moto's client, with an empty table."""
    for item in of_moto.scan(TableName=NAME)["Items"]:
        of_moto.delete_item(TableName=NAME, Key={name: item[name] for name in KEY})
    return of_moto


@pytest.fixture(params=["simulated", "moto"])
def client(request: pytest.FixtureRequest) -> Any:
    """Both clients, each with an empty table."""
    return in_memory() if request.param == "simulated" else request.getfixturevalue("moto")


def put(client: Any, *items: Mapping[str, Any]) -> None:
    """Write rows."""
    for item in items:
        client.put_item(TableName=NAME, Item=item)


def read(client: Any) -> Any:
    """The row, without what is the same in all."""
    found = client.get_item(TableName=NAME, Key=KEY).get("Item")
    return found and {name: value for name, value in found.items() if name not in KEY}


VALUES: Final = {
    ":two": {"N": "2"},
    ":ten": {"N": "10"},
    ":early": {"S": "2026-11-23T09:00:00.000Z"},
    ":then": {"S": "2026-11-23T10:00:00.000Z"},
    ":late": {"S": "2026-11-23T11:00:00.000Z"},
    ":a": {"S": "a"},
}


@pytest.mark.parametrize(
    "wanted",
    [
        "attribute_not_exists(MessageId)",
        "attribute_exists(MessageId)",
        "attribute_not_exists(ErasedAt)",
        "Looks = :two",
        "Looks = :two AND attribute_not_exists(ErasedAt)",
        "Looks = :ten OR NextLookAt = :then",
        "NOT Looks = :two",
        "Looks <> :two",
        "Looks < :ten AND Looks <= :two AND Looks >= :two",
        "Looks > :two",
        "Absent = :two",
        "Absent <> :two",
        "NextLookAt BETWEEN :early AND :late",
        "NextLookAt BETWEEN :late AND :early",
        "begins_with(Note, :a)",
        "begins_with(Absent, :a)",
        "contains(Note, :a)",
        "(Looks = :ten OR Looks = :two) AND #final = :a",
        "#lane = :a OR #lane <> :a",
        "NextLookAt = :from AND attribute_not_exists(PublishedAt)",
    ],
)
@pytest.mark.parametrize("there", [True, False], ids=["a row", "no row"])
def test_a_condition_holds_for_both(moto: DynamoDBClient, wanted: str, *, there: bool) -> None:
    """A write goes through in the simulation where it goes through with moto."""
    values = {**VALUES, ":from": VALUES[":then"]}
    used = {name: value for name, value in values.items() if name in wanted.replace(")", " ")}
    names = {"#final": "Final", "#lane": "DueLane"}
    request: dict[str, Any] = {"TableName": NAME, "Key": KEY, "UpdateExpression": "SET Seen = :x"}
    request |= {"ConditionExpression": wanted}
    request["ExpressionAttributeValues"] = {**used, ":x": {"N": "1"}}
    if "#" in wanted:
        request["ExpressionAttributeNames"] = {n: v for n, v in names.items() if n in wanted}
    outcomes = []
    for client in (in_memory(), moto):
        put(client, *([ROW] if there else []))
        code = ""
        try:
            client.update_item(**request)
        except ClientError as error:
            code = error.response["Error"]["Code"]
        outcomes.append((code, read(client)))
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    ("update", "values"),
    [
        ("SET NextLookAt = :late", [":late"]),
        ("SET PublishedAt = :late, SnsMessageId = :a REMOVE DueLane, NextLookAt", [":late", ":a"]),
        ("SET #final = :a REMOVE NextLookAt, DueLane, Note", [":a"]),
        ("SET NextLookAt = :late, DueLane = :a, Note = :a ADD Shed :two", [":late", ":a", ":two"]),
        ("ADD FollowUps :two SET ExpiresAt = :ten", [":two", ":ten"]),
        ("ADD Looks :ten", [":ten"]),
        ("SET Looks = Looks + :ten", [":ten"]),
        ("SET Looks = if_not_exists(Looks, :ten)", [":ten"]),
        ("SET Absent = if_not_exists(Absent, :ten)", [":ten"]),
        ("REMOVE EmailTags, FromDomain", []),
    ],
)
def test_an_update_leaves_the_same_row(
    moto: DynamoDBClient, update: str, values: list[str]
) -> None:
    """Whatever an update of the service does, it does in the simulation."""
    request: dict[str, Any] = {"TableName": NAME, "Key": KEY, "UpdateExpression": update}
    if values:
        request["ExpressionAttributeValues"] = {name: VALUES[name] for name in values}
    if "#" in update:
        request["ExpressionAttributeNames"] = {"#final": "Final"}
    left = []
    for client in (in_memory(), moto):
        put(client, ROW)
        client.update_item(**request)
        left.append(read(client))
    assert left[0] == left[1]


def row(record: str, **more: str) -> dict[str, Any]:
    """A row of the same message."""
    texts = {"MessageId": "m", "Record": record, **more}
    return {name: {"S": text} for name, text in texts.items()}


LANES: Final = [
    row(f"ALERT#{number}", DueLane="alert", NextLookAt=f"2026-11-23T10:0{5 - number}:00.000Z")
    for number in range(5)
]


def test_an_index_is_read_in_its_order_and_page_by_page(client: Any) -> None:
    """Forwards and backwards, with a limit, up to the end."""
    put(client, *LANES, row("MESSAGE"))
    request: dict[str, Any] = {
        "TableName": NAME,
        "IndexName": "DueLooks",
        "KeyConditionExpression": "DueLane = :lane AND NextLookAt <= :time",
        "ExpressionAttributeValues": {
            ":lane": {"S": "alert"},
            ":time": {"S": "2026-11-23T10:04:00.000Z"},
        },
        "Limit": 3,
    }
    first = client.query(**request)
    assert [item["Record"]["S"] for item in first["Items"]] == ["ALERT#4", "ALERT#3", "ALERT#2"]
    rest = client.query(**request, ExclusiveStartKey=first["LastEvaluatedKey"])
    assert [item["Record"]["S"] for item in rest["Items"]] == ["ALERT#1"]
    assert "LastEvaluatedKey" not in rest
    back = client.query(**request, ScanIndexForward=False)
    assert [item["Record"]["S"] for item in back["Items"]] == ["ALERT#1", "ALERT#2", "ALERT#3"]
    assert client.query(**request, Select="COUNT")["Count"] == 3


def test_a_partition_is_read_in_order_and_projected(client: Any) -> None:
    """A query of the table itself: its rows by their sort key, the attributes that are named."""
    put(client, row("MESSAGE", Note="n"), *LANES[:2])
    found = client.query(
        TableName=NAME,
        KeyConditionExpression="MessageId = :id AND begins_with(#record, :begin)",
        ExpressionAttributeNames={"#record": "Record"},
        ExpressionAttributeValues={":id": {"S": "m"}, ":begin": {"S": "A"}},
        ProjectionExpression="#record, NextLookAt",
        ConsistentRead=True,
    )["Items"]
    assert [(set(item), item["Record"]["S"]) for item in found] == [
        ({"Record", "NextLookAt"}, "ALERT#0"),
        ({"Record", "NextLookAt"}, "ALERT#1"),
    ]


def test_a_transaction_is_carried_out_as_a_whole_or_not_at_all(client: Any) -> None:
    """One condition that fails keeps everything as it is, and says which one it was."""
    put(client, ROW)
    new = {"Put": {"TableName": NAME, "Item": row("ALERT#1")}}
    check = {"TableName": NAME, "Key": KEY, "ConditionExpression": "Looks = :looks"}
    for looks, expected in (("1", 1), ("2", 2)):
        right = {**check, "ExpressionAttributeValues": {":looks": {"N": looks}}}
        with suppress(ClientError):
            client.transact_write_items(TransactItems=[{"ConditionCheck": right}, new])
        assert client.scan(TableName=NAME)["Count"] == expected


def test_no_transaction_is_taken_for_that_of_a_client_that_is_gone() -> None:
    """Each call is one of its own, also where a new client takes the place of an old one."""
    gone = in_memory()
    caller, table = gone.caller, gone.table
    for number in range(20):
        new = {"Put": {"TableName": NAME, "Item": row(f"DESTINATION#{number}")}}
        DynamoDb(caller, table).transact_write_items(TransactItems=[new])
    assert len(list(table.everything())) == 20


def test_the_codes_of_a_cancelled_transaction_stand_in_their_order(client: Any) -> None:
    """What the adapters read of the error."""
    taken = {
        "TableName": NAME,
        "Item": ROW,
        "ConditionExpression": "attribute_not_exists(MessageId)",
    }
    put(client, ROW)
    with pytest.raises(ClientError) as caught:
        client.transact_write_items(
            TransactItems=[{"Put": {"TableName": NAME, "Item": row("ALERT#1")}}, {"Put": taken}]
        )
    error: Any = caught.value.response
    assert error["Error"]["Code"] == "TransactionCanceledException"
    assert [each["Code"] for each in error["CancellationReasons"]] == [
        "None",
        "ConditionalCheckFailed",
    ]


def test_a_batch_is_read_by_its_keys(client: Any) -> None:
    """Rows that are there come back; those that are not are left out."""
    put(client, ROW, *LANES[:1])
    found = client.batch_get_item(
        RequestItems={
            NAME: {
                "Keys": [KEY, {"MessageId": {"S": "m"}, "Record": {"S": "nothing"}}],
                "ProjectionExpression": "MessageId, Looks",
                "ConsistentRead": True,
            }
        }
    )
    assert found["Responses"][NAME] == [{"MessageId": {"S": "m"}, "Looks": {"N": "2"}}]


@pytest.mark.parametrize(
    "text", ["Looks ~ :x", "Looks LIKE :x", "size(Looks) = :x", "Looks = :x Y"]
)
def test_what_is_not_understood_is_refused(text: str) -> None:
    """An expression that is new to the simulation fails loudly, and is no condition that holds."""
    with pytest.raises(ExpressionError):
        condition(text)


def test_an_update_that_is_not_understood_is_refused() -> None:
    """So does an update."""
    with pytest.raises(ExpressionError):
        updated({}, "PUT Looks = :x", {}, {":x": {"N": "1"}})
