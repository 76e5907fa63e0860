"""`insights export` writes a line for each recipient, uncut, and harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ses_insights.adapters.records import RecordTable
from ses_insights.cli.commands.export import flat, harmless, write_csv, write_json
from ses_insights.contracts.rows import destination_rows
from ses_insights.domain.insight import Bounce, Destination
from ses_insights.domain.listing import Feedback, Listing
from ses_insights.domain.record import Found, NotFound
from ses_insights.domain.times import iso
from tests.cli.conftest import Aws
from tests.support.fakes import START
from tests.support.said import Insights
from tests.support.samples import (
    BOUNCES,
    COMPLAINS,
    READS,
    bounced,
    complained,
    delivered,
    event,
    found,
    insights_of,
    looked,
)

DAYS = ("--from", "2026-11-22", "--to", "2026-11-23")


def row(place: Destination) -> dict[str, Any]:
    """A recipient's row."""
    record, _ = looked(found(place))
    return next(destination_rows(record))


@pytest.fixture
def stored(records: RecordTable) -> None:
    """A message to three recipients."""
    record, alerts = looked(found(bounced(), complained(), delivered()))
    records.save(record, alerts, read=None)


def read(text: str) -> list[dict[str, str]]:
    """What a spreadsheet makes of it."""
    return list(csv.DictReader(io.StringIO(text)))


def test_a_line_has_the_last_bounce_and_complaint() -> None:
    """Of several bounces the last one; what SES left out stays empty."""
    soft = event("BOUNCE", 0.5, bounce=Bounce("TRANSIENT", "MailboxFull"))
    place = replace(bounced(), events=(soft, *bounced().events))
    line = flat(row(place))
    assert (line["BounceType"], line["BounceSubType"]) == ("PERMANENT", "NoEmail")
    assert line["DiagnosticCode"] == "smtp; 550 5.1.1 unknown"
    assert "ComplaintFeedbackType" not in line


def test_a_line_has_the_bounce_that_its_status_names() -> None:
    """A later one that says less does not stand beside the graver status."""
    soft = event("BOUNCE", 90, bounce=Bounce("TRANSIENT", "MailboxFull"))
    place = replace(bounced(), events=(*bounced().events, soft))
    line = flat(row(place))
    assert (line["Status"], line["BounceType"]) == ("PERMANENT_BOUNCE", "PERMANENT")
    assert line["BounceSubType"] == "NoEmail"
    delivered_later = replace(delivered(), events=(soft, *delivered().events))
    assert flat(row(delivered_later))["BounceSubType"] == "MailboxFull"


def test_a_line_cannot_steer_a_terminal() -> None:
    """Escape sequences, also of one sign, marks of direction and line breaks are taken out."""
    evil = "smtp; 550 \x1b]0;owned\x07\x9b31m no\r\nsuch \u202euser"
    refused = event("BOUNCE", 1, bounce=Bounce("PERMANENT", "General", evil))
    stream = io.StringIO()
    write_csv([row(Destination(BOUNCES, None, (refused,)))], stream)
    assert read(stream.getvalue())[0]["DiagnosticCode"] == "smtp; 550 ]0;owned 31m no such user"


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+1", "-1", "@x"])
def test_text_of_other_servers_is_not_a_formula(text: str) -> None:
    """A diagnostic code is any text that a server writes."""
    refused = event("BOUNCE", 1, bounce=Bounce("PERMANENT", "General", text))
    stream = io.StringIO()
    write_csv([row(Destination(BOUNCES, None, (refused,)))], stream)
    (line,) = read(stream.getvalue())
    assert line["DiagnosticCode"] == f"'{text}"


def test_a_formula_behind_blanks_is_none_either() -> None:
    """A spreadsheet ignores them."""
    assert harmless("\t \r=1") == "'=1"


def test_no_rows_are_a_heading_or_an_empty_list() -> None:
    """What reads it needs no special case."""
    lines, array = io.StringIO(), io.StringIO()
    assert (write_csv([], lines), write_json([], array)) == (0, 0)
    assert lines.getvalue().startswith("MessageId,Destination,Status")
    assert json.loads(array.getvalue()) == []


def test_all_recipients_of_the_days_are_written_oldest_first(
    insights: Insights, stored: None
) -> None:
    """With all that fits into a line."""
    del stored
    said = insights("export", *DAYS)
    assert (said.code, said.err) == (0, "Exported 3 recipients.\n")
    lines = read(said.out)
    assert [line["Destination"] for line in lines][-1] == COMPLAINS
    assert {line["Status"] for line in lines} == {"COMPLAINT", "PERMANENT_BOUNCE", "DELIVERED"}
    assert {line["Destination"]: line["ComplaintFeedbackType"] for line in lines} == {
        BOUNCES: "",
        COMPLAINS: "abuse",
        READS: "",
    }


def test_only_one_status_can_be_written(insights: Insights, stored: None) -> None:
    """As JSON: the whole rows."""
    del stored
    rows = insights("export", *DAYS, "--status", "complaint", "--json").json
    assert [each["Destination"] for each in rows] == [COMPLAINS]
    assert [each["Type"] for each in rows[0]["Events"]] == ["SEND", "DELIVERY", "COMPLAINT"]


def test_a_line_tells_of_the_mail(insights: Insights, stored: None) -> None:
    """Sender, subject, time, configuration set and tags, which the message's own row has."""
    del stored
    line = read(insights("export", *DAYS).out)[0]
    assert (line["FromEmailAddress"], line["Subject"]) == ("news@shop.example", "Hi")
    assert line["SentAt"].startswith("2026-11-23T")
    assert "campaign=spring" in line["EmailTags"]
    (row, *_) = insights("export", *DAYS, "--json").json
    assert (row["Subject"], row["Record"].partition("#")[0]) == ("Hi", "DESTINATION")


def test_the_configuration_set_has_a_column() -> None:
    """SES writes it among its own tags; those that say who sent are left out."""
    tags = {"ses:configuration-set": ["shop"], "ses:source-ip": ["192.0.2.1"], "a": ["1", "2"]}
    line = flat(row(delivered()) | {"EmailTags": tags})
    assert line["ConfigurationSet"] == "shop"
    assert "192.0.2.1" not in line["EmailTags"]
    assert "a=1; a=2" in line["EmailTags"]


def test_excel_gets_its_byte_order_mark(insights: Insights, stored: None, tmp_path: Path) -> None:
    """Without it Excel reads UTF-8 as the code page of its country."""
    del stored
    file = tmp_path / "november.csv"
    assert insights("export", *DAYS, "--excel", "--output", str(file)).code == 0
    assert file.read_bytes().startswith(b"\xef\xbb\xbfMessageId,")
    assert insights("export", *DAYS, "--excel", "--json").code == 2


def test_only_the_owner_may_read_the_file(insights: Insights, stored: None, tmp_path: Path) -> None:
    """It holds addresses and subjects."""
    del stored
    file = tmp_path / "november.csv"
    insights("export", *DAYS, "--output", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_only_one_recipient_can_be_written(insights: Insights, stored: None) -> None:
    """However the address is spelled."""
    del stored
    lines = read(insights("export", *DAYS, "--recipient", f"X <{BOUNCES.upper()}>").out)
    assert [line["Destination"] for line in lines] == [BOUNCES]


def test_a_file_is_written_whole(insights: Insights, stored: None, tmp_path: Path) -> None:
    """In UTF-8; nothing on standard output."""
    del stored
    file = tmp_path / "november.csv"
    said = insights("export", *DAYS, "--output", str(file))
    assert (said.code, said.out) == (0, "")
    assert len(read(file.read_text(encoding="utf-8"))) == 3
    assert list(tmp_path.iterdir()) == [file]


def test_an_existing_file_is_kept(insights: Insights, stored: None, tmp_path: Path) -> None:
    """Exit code 2."""
    del stored
    file = tmp_path / "november.csv"
    file.write_text("mine")
    said = insights("export", *DAYS, "--output", str(file))
    assert (said.code, said.err) == (2, f"{file} exists already; name another file.\n")
    assert file.read_text() == "mine"


def test_a_failure_leaves_no_half_file(
    aws: Aws, insights: Insights, stored: None, tmp_path: Path
) -> None:
    """It could be taken for the whole."""
    del stored
    aws.fails["Query"] = "AccessDeniedException"
    assert insights("export", *DAYS, "--output", str(tmp_path / "november.csv")).code == 3
    assert list(tmp_path.iterdir()) == []


def test_days_without_mail_give_exit_code_1(insights: Insights, stored: None) -> None:
    """The heading is written all the same."""
    del stored
    said = insights("export", "--from", "2026-11-01", "--to", "2026-11-22")
    assert (said.code, said.err) == (1, "Nothing was found.\n")
    assert len(said.out.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "--from"),
        (("--from", "November"), "November is not a day"),
        (("--from", "2026-11-23", "--to", "2026-11-22"), "2026-11-22 comes before 2026-11-23."),
        ((*DAYS, "--output", "/no/such/folder/x.csv"), "cannot be written: No such file"),
    ],
)
def test_wrong_usage_is_a_sentence(
    insights: Insights, arguments: tuple[str, ...], says: str
) -> None:
    """Exit code 2."""
    said = insights("export", *arguments)
    assert (said.code, said.out) == (2, "")
    assert says in said.err


def test_a_long_address_and_a_wide_subject_are_whole(
    insights: Insights, records: RecordTable
) -> None:
    """Nothing is cut to the width of a terminal that is not there."""
    address = f"{'x' * 300}@there.example"
    record, _ = looked(Found(insights_of(delivered(address))))
    records.save(record, (), read=None)
    assert read(insights("export", *DAYS).out)[0]["Destination"] == address


def test_what_the_list_alone_shows_is_exported(records: RecordTable, insights: Insights) -> None:
    """A recipient of mail to several, of which SES's insights show nothing."""
    listing = Listing("several@there.example", Feedback.BOUNCE, iso(START), is_finding=True)
    record, _ = looked(NotFound())
    records.save(replace(record, listings=(listing,)), (), read=None)
    (line,) = read(insights("export", *DAYS).out)
    assert (line["Destination"], line["Status"]) == (listing.address, "PERMANENT_BOUNCE")
    assert (line["BounceType"], line["LastEventAt"]) == ("PERMANENT", iso(START))
