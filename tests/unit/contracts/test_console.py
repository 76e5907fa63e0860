"""Where a person finds the rows of a message."""

import json
import shlex

import pytest

from ses_insights.contracts.console import TableAddress
from tests.support.strategies import MESSAGE_ID


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("eu-west-1", "eu-west-1.console.aws.amazon.com"),
        ("us-east-1", "us-east-1.console.aws.amazon.com"),
        ("cn-north-1", "cn-north-1.console.amazonaws.cn"),
        ("us-gov-west-1", "us-gov-west-1.console.amazonaws-us-gov.com"),
        ("eusc-de-east-1", "eusc-de-east-1.console.amazonaws-eusc.eu"),
    ],
)
def test_the_link_leads_to_the_message_in_its_region(region: str, host: str) -> None:
    """Each partition of AWS has its own console; the item explorer is set to table and message."""
    assert TableAddress("123456789012", region, "Zoo-Table1A").console_link(MESSAGE_ID) == (
        f"https://{host}/dynamodbv2/home?region={region}"
        f"#item-explorer?operation=QUERY&pk={MESSAGE_ID}&table=Zoo-Table1A"
    )


def test_the_id_is_there_to_paste() -> None:
    """A console that does not take the id from the link asks for it."""
    assert f"If the console asks for MessageId: {MESSAGE_ID}" in TableAddress(
        "123456789012", "eu-west-1", "Zoo"
    ).ways_to(MESSAGE_ID)


@pytest.mark.parametrize("region", ["us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1"])
def test_where_no_console_is_known_no_link_is_made_up(region: str) -> None:
    """In an isolated Region the line names Region, table and id instead."""
    table = TableAddress("123456789012", region, "Zoo")
    assert table.console_link(MESSAGE_ID) is None
    line = f"DynamoDB console, Region {region}, table Zoo: query MessageId {MESSAGE_ID}"
    assert line in table.ways_to(MESSAGE_ID)


def test_the_commands_name_the_message() -> None:
    """Both command lines can be pasted into a shell; each finds this message."""
    *_, ours, aws = TableAddress("123456789012", "eu-west-1", "Zoo").ways_to(MESSAGE_ID)
    assert ours == f"insights show {MESSAGE_ID}"
    words = shlex.split(aws)
    assert words[:7] == ["aws", "dynamodb", "query", "--region", "eu-west-1", "--table-name", "Zoo"]
    assert json.loads(words[-1]) == {":id": {"S": MESSAGE_ID}}


def test_no_id_breaks_out_of_its_place() -> None:
    """An id that is none, were one ever stored, stays one word of a command and of a link."""
    evil = "x'; rm -rf ~ #&table=Other"
    table = TableAddress("123456789012", "eu-west-1", "Zoo")
    *_, ours, aws = table.ways_to(evil)
    assert shlex.split(ours)[2:] == [evil]
    assert json.loads(shlex.split(aws)[-1])[":id"]["S"] == evil
    assert "&table=Other" not in str(table.console_link(evil))
