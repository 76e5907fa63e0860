"""A deployed stack with `chatNotifications`: the chat gets each alert in its own words, too."""

from __future__ import annotations

from local.actors.subscriber import Subscriber
from local.stack.faults.control import FaultKind, Service
from ses_insights.contracts.names import Output
from tests.support.deployed_stack import DeployedStack
from tests.support.patience import eventually


def test_a_crash_between_the_two_topics_repeats_the_chat_alone(stack: DeployedStack) -> None:
    """The function may publish to both; the repeated notification has the id of the first."""
    topic = stack.run.outputs[Output.CHAT_TOPIC_ARN]
    people = Subscriber.subscribe(stack.run.session, topic, name="people")
    stack.run.faults.fail(Service.SNS, FaultKind.ANSWER_LOST, operation="Publish", times=1)
    stack.send_and_enqueue("bounce-noemail")
    stack.send_and_enqueue("complaint-abuse")

    def are_all_published() -> bool:
        people.read()
        return stack.is_done() and len(people.received) >= 3

    eventually(are_all_published)
    alerts = stack.alerts()
    first, second = [alert.body["alertId"] for alert in alerts]
    assert [chat.body["id"] for chat in people.received] == [first, first, second]
    assert [chat.attributes for chat in people.received[1:]] == [
        alert.attributes for alert in alerts
    ]
    assert people.received[1].body["content"]["title"] == "Permanent bounce, severity medium"
