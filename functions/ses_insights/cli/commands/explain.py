"""`insights explain`: what a bounce or complaint means and what to do, offline."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from ses_insights.cli.errors import WrongUsageError
from ses_insights.cli.ids import ses_id
from ses_insights.cli.options import Json
from ses_insights.cli.output import clean, columns, echo, echo_json
from ses_insights.domain.explanation import (
    Explanation,
    explain_bounce,
    explain_complaint,
)


def command(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="The diagnostic code, as it came; may be empty.")
    ] = "",
    sub_type: Annotated[
        str | None,
        typer.Option("--subtype", metavar="SUBTYPE", help="BounceSubType or ComplaintSubType."),
    ] = None,
    bounce_type: Annotated[
        str, typer.Option("--type", metavar="TYPE", help="BounceType: PERMANENT, TRANSIENT, …")
    ] = "PERMANENT",
    feedback_type: Annotated[
        str | None,
        typer.Option("--feedback-type", metavar="TYPE", help="ComplaintFeedbackType: abuse, …"),
    ] = None,
    as_json: Json = False,
) -> None:
    """Explain a bounce or a complaint offline.

    It asks nobody: no stack, no AWS and no credentials are needed.

    \b
    Examples:
      insights explain "smtp; 550 5.1.1 user unknown"
      insights explain --subtype OnAccountSuppressionList
      insights explain --feedback-type fraud --json
    """
    if not (text or sub_type or feedback_type):
        raise WrongUsageError("Give the text of a bounce, or --subtype, or --feedback-type.")
    if message_id := ses_id(text):
        raise WrongUsageError(
            f"That is a message id, and no text of a bounce: use insights show {message_id}"
        )
    explanation = (
        explain_bounce(sub_type, text, bounce_type)
        if feedback_type is None
        else explain_complaint(sub_type, feedback_type)
    )
    if as_json:
        echo_json(body(explanation))
        return
    facts = {
        "Reason": explanation.reason,
        "Cause": explanation.cause,
        "What to do": explanation.next_step,
        "Action": explanation.action,
        "Severity": explanation.severity,
        "Confidence": explanation.confidence,
    }
    for line in columns((Text(name, "bold"), clean(value)) for name, value in facts.items()):
        echo(line)


def body(explanation: Explanation) -> dict[str, str]:
    """Write an explanation as the contract of the command has it."""
    return {
        "reason": explanation.reason,
        "action": explanation.action,
        "severity": explanation.severity,
        "confidence": explanation.confidence,
        "cause": explanation.cause,
        "nextStep": explanation.next_step,
    }
