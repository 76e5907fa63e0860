"""The queue in which message ids wait for their look, and the dead-letter queue."""

from __future__ import annotations

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.alarms import watch

# The longest SQS keeps a message.
RETENTION = Duration.days(14)

# AWS asks for a visibility timeout of at least six times the function's time-out:
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
VISIBILITY_PER_TIMEOUT = 6

# SQS's maximum. While SES, IAM or the network is out, the lookup function leaves its message at the
# head of the queue, for days if need be, and every return raises the receive count. So this is only
# the last resort, against a function that crashes on one message again and again.
MAX_RECEIVE_COUNT = 1000

# Bytes. A parked message carries its reason beside its body, so the dead-letter queue takes more
# than the queue: SQS's maximum.
LARGEST_MESSAGE = 256 * 1024
LARGEST_DEAD_LETTER = 1024 * 1024

LONGEST_USUAL_WAIT = Duration.hours(4)


class Queues(Construct):
    """The FIFO queue of message ids and its dead-letter queue, with their alarms."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        delivery_delay: Duration,
        consumer_timeout: Duration,
        operations: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            fifo=True,
            max_message_size_bytes=LARGEST_DEAD_LETTER,
            retention_period=RETENTION,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )
        self.message_ids = sqs.Queue(
            self,
            "MessageIds",
            fifo=True,
            content_based_deduplication=True,
            max_message_size_bytes=LARGEST_MESSAGE,
            delivery_delay=delivery_delay,
            visibility_timeout=Duration.seconds(
                VISIBILITY_PER_TIMEOUT * consumer_timeout.to_seconds()
            ),
            retention_period=RETENTION,
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letters, max_receive_count=MAX_RECEIVE_COUNT
            ),
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )
        self._watch(operations)

    def _watch(self, operations: sns.ITopic) -> None:
        minutes = Duration.minutes(5)
        watch(
            self.dead_letters,
            "DeadLetters",
            # Not NumberOfMessagesSent, which leaves out what SQS itself moves here.
            metric=self.dead_letters.metric_approximate_number_of_messages_visible(
                period=minutes, statistic=cloudwatch.Stats.MAXIMUM
            ),
            at_least=1,
            meaning="Messages are parked in the dead-letter queue: their body is no message id, "
            "SES calls the id malformed or fails at it alone, or the lookup function crashed on it "
            "again and again.",
            remedy="Read their attribute Reason. Fix what enqueues them, then delete them; or fix "
            "the service and send them back with `insights parked redrive`. The console's "
            "redrive to the source fails for messages that the service parked.",
            operations=operations,
        )
        watch(
            self.message_ids,
            "OldestMessage",
            metric=self.message_ids.metric_approximate_age_of_oldest_message(
                period=minutes, statistic=cloudwatch.Stats.MAXIMUM
            ),
            at_least=LONGEST_USUAL_WAIT.to_seconds(),
            meaning="A message id has waited longer than four hours for its look. After 14 days "
            "SQS deletes it.",
            remedy="If other alarms are on, look at them first: the queue stands still while SES "
            "cannot be asked. Otherwise more ids come in than one look a second can serve, "
            "86,400 a day: enqueue fewer, or wait until a burst is worked off.",
            operations=operations,
        )
