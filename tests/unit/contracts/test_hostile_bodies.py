"""Bodies of the queue that mean harm, or were damaged on their way.

What must hold for each is in `tools.fuzz.bodies`; the fuzzer holds the same against its own.
"""

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.strategies import MESSAGE_ID
from tools.fuzz import bodies
from tools.fuzz.mutate import mutated

EVENT = {"mail": {"messageId": MESSAGE_ID}}
FORMS = [
    MESSAGE_ID,
    f"<{MESSAGE_ID}@eu-west-1.amazonses.com>",
    json.dumps({"MessageId": MESSAGE_ID, "force": True}),
    json.dumps({"messageId": f"<{MESSAGE_ID}@email.amazonses.com>", "look": 2}),
    json.dumps(EVENT),
    json.dumps({"detail-type": "Email Bounced", "detail": EVENT}),
    json.dumps({"TopicArn": "arn", "MessageId": "22b8", "Message": json.dumps(EVENT)}),
]
"""One of each form of the contract."""


def test_an_id_that_json_spells_is_read() -> None:
    """Escapes are JSON's own way to write a text: the id is the one they spell."""
    spelled = "".join(f"\\u{ord(sign):04x}" for sign in MESSAGE_ID)
    assert bodies.check_text(f'{{"MessageId": "{spelled}"}}') == "id"


@given(st.sampled_from(FORMS), st.randoms(use_true_random=True), st.integers(1, 4))
def test_a_form_with_other_values_gives_an_id_of_its_own_or_a_refusal(
    form: str, chance: Random, changes: int
) -> None:
    """JSON that is nearly a form of the contract is that form, or none, and nothing else."""
    data = form.encode()
    for _ in range(changes):
        data = mutated(data, chance) or data
    bodies.check(data)


@given(st.sampled_from(FORMS), st.data())
def test_a_form_that_is_damaged_gives_an_id_of_its_own_or_a_refusal(
    form: str, data: st.DataObject
) -> None:
    """Bytes that are cut out, put in or moved give no id that the body has not."""
    raw = form.encode()
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(raw))] * 2)))
    damage = data.draw(st.one_of(st.binary(max_size=8), st.just(raw[start:end] * 2)))
    bodies.check(raw[:start] + damage + raw[end:])


@pytest.mark.parametrize("size", [262_144, 1_048_576])
@pytest.mark.parametrize("sign", ["{", "[", '"', "<", "@", "a.", " ", "\\", "0", '{"":', "\ud800"])
def test_a_body_of_any_length_is_refused(sign: str, size: int) -> None:
    """The longest body that SQS carries, of one sign, is refused like a short one."""
    body = sign * (size // len(sign))
    assert bodies.check_text(body) in {"NotAnId", "BadJson", "Empty"}
    assert bodies.check_text(f'{{"MessageId": {json.dumps(body)}}}') == "NotAnId"
