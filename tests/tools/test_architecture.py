"""The picture of the architecture: drawn from the template, and up to date."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from aws_cdk.assertions import Template

from tools import architecture
from tools.architecture import CELLS, OUTSIDE, WORDS, NoCellError, arrows, boxes, svg


def without(template: Mapping[str, Any], action: str) -> Mapping[str, Any]:
    """The template without what allows an action."""
    changed = copy.deepcopy(template)
    for resource in changed["Resources"].values():
        if resource["Type"] == "AWS::IAM::Policy":
            document = resource["Properties"]["PolicyDocument"]
            document["Statement"] = [
                each for each in document["Statement"] if action not in each["Action"]
            ]
    return changed


def test_the_picture_is_up_to_date(chosen: Template) -> None:
    """What `make pictures` draws, with all that is optional, is what the page shows."""
    assert architecture.PICTURE.read_text() == svg(chosen.to_json()), "run `make pictures`"


def test_the_arrows_are_those_of_the_template(chosen: Template) -> None:
    """Written out by hand: what may send to, store in, publish to, ask and start what."""
    assert arrows(chosen.to_json()) == {
        ("SES events", "rules"),
        ("rules", "QueuesMessageIds"),
        ("rules", "IntakeUndelivered"),
        ("QueuesMessageIds", "LookupFunction"),
        ("LookupFunction", "QueuesMessageIds"),
        ("QueuesMessageIds", "QueuesDeadLetters"),
        ("LookupFunction", "SES insights"),
        ("LookupFunction", "InsightsTable"),
        ("LookupFunction", "TopicsAlerts"),
        ("LookupFunction", "QueuesDeadLetters"),
        ("InsightsTable", "FollowUpsFunction"),
        ("FollowUpsFunction", "InsightsTable"),
        ("FollowUpsFunction", "QueuesMessageIds"),
        ("FollowUpsFunction", "TopicsAlerts"),
        ("FollowUpsEveryMinute", "FollowUpsFunction"),
        ("alarms", "TopicsOperations"),
    }


@pytest.mark.parametrize(
    ("action", "arrow"),
    [
        ("sqs:SendMessage", ("FollowUpsFunction", "QueuesMessageIds")),
        ("ses:GetMessageInsights", ("LookupFunction", "SES insights")),
        ("dynamodb:BatchGetItem", ("InsightsTable", "FollowUpsFunction")),
    ],
)
def test_what_is_not_allowed_is_not_drawn(
    template: Template, action: str, arrow: tuple[str, str]
) -> None:
    """Without the permission there is no arrow."""
    whole = template.to_json()
    assert arrow in arrows(whole)
    assert arrow not in arrows(without(whole, action))


def test_what_is_not_deployed_is_not_drawn(template: Template) -> None:
    """By default there are no rules, and so no events of SES."""
    assert "rules" not in boxes(template.to_json())
    drawn = svg(template.to_json())
    assert CELLS["rules"].title not in drawn
    assert CELLS["LookupFunction"].title in drawn


def test_a_new_part_asks_for_its_cell(template: Template) -> None:
    """A new resource of the stack is an error that says what the picture needs."""
    whole = copy.deepcopy(dict(template.to_json()))
    whole["Resources"]["MoreQueue0123ABCD"] = {"Type": "AWS::SQS::Queue", "Properties": {}}
    with pytest.raises(NoCellError, match="Give MoreQueue a cell in CELLS"):
        svg(whole)


def test_every_cell_and_word_is_used(chosen: Template) -> None:
    """Nothing is left over of a part that is gone."""
    drawn = arrows(chosen.to_json()) | OUTSIDE
    assert {end for arrow in drawn for end in arrow} == CELLS.keys()
    assert WORDS.keys() <= drawn
    assert OUTSIDE.isdisjoint(arrows(chosen.to_json()))


def test_the_picture_stands_alone(chosen: Template) -> None:
    """Well-formed, on a ground of its own, so that it reads on dark pages; nothing is fetched."""
    root = ET.fromstring(svg(chosen.to_json()))  # noqa: S314 - made right here
    _, _, width, height = root.attrib["viewBox"].split()
    ground = next(each for each in root if each.tag.endswith("rect"))
    assert (ground.attrib["width"], ground.attrib["height"]) == (width, height)
    assert ground.attrib["fill"] == "white"
    assert "url(http" not in svg(chosen.to_json())
