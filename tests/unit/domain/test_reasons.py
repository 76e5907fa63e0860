"""The reason for a bounce, read from the diagnostic code and the subtype."""

import re
import time
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_insights.domain.answer import READ_LENGTH, READ_WORDS, answer_in
from ses_insights.domain.reasons import (
    ACTIONS,
    NOT_ATTEMPTED,
    RULES,
    SUBTYPES,
    Action,
    Confidence,
    Reading,
    Reason,
    Rule,
    Source,
    plain,
    read,
)

WORDS: Final = {
    Reason.ADDRESS_UNKNOWN: [
        "550 No such user: ada",
        "550 <ada@example.com>: Recipient address rejected: User unknown",
        "550 ada@example.com does not exist",
        "553 We have no mailbox by that name",
        "550 There is nobody here by that name",
        "550 RESOLVER.ADR.RecipientNotFound; not found by SMTP address lookup",
        "550 Ada is not our customer",
        "554 5.7.1 <ada@example.com>: Recipient address rejected: Access denied",
        "550 Utilisateur inconnu",
        "550 El buzón no existe",
        "550 Empfänger unbekannt",
        "550 Пользователь не найден",
        "550 用户不存在",
        "550 宛先のアドレスが見つかりません",
    ],
    Reason.MAILBOX_CLOSED: [
        "550 The account of ada is disabled",
        "550 Inactive mailbox",
        "550 ada@example.com is no longer with Example Ltd",
        "550 The recipient account is blocked",
        "551 The user has moved, no forwarding address",
        "550 Compte désactivé",
        "550 Cuenta deshabilitada",
        "550 Postfach geschlossen",
    ],
    Reason.DOMAIN_DEAD: [
        "550 Host or domain name not found",
        "550 Unrouteable mail domain",
        "550 No MX record for example.com",
        "550 The domain publishes a null MX",
        "Name service error for name=example.com type=MX",
        "550 Le domaine est inexistant",
    ],
    Reason.MAILBOX_FULL: [
        "552 The mailbox of ada is full",
        "550 User is over quota",
        "552 Not enough storage space left",
        "552 Boîte pleine",
        "552 Buzón lleno",
        "552 Postfach voll",
        "550 邮箱已满",
    ],
    Reason.RATE_LIMITED: [
        "550 Too many messages from your server, slow down",
        "550 This user is receiving mail at too high a rate",
        "554 You reached the daily limit of example.com",
        "550 Connection rate limit exceeded",
        "550 Trop de connexions",
    ],
    Reason.RECEIVING_SYSTEM: [
        "554 The mail runs in a loop",
        "550 Internal error, please try again later",
        "550 Delivery time expired",
        "550 The mailbox is temporarily disabled",
        "connect to mx.example.com: Connection timed out",
    ],
    Reason.SENDER_UNAUTHENTICATED: [
        "550 Refused by the DMARC policy of shop.example",
        "550 SPF check failed",
        "550 The mail has no valid DKIM signature",
        "550 Unauthenticated email is not accepted from this domain",
    ],
    Reason.REVERSE_DNS: [
        "550 Your server has no PTR record",
        "550 Client host rejected: cannot find your reverse hostname",
        "504 HELO requires a fully-qualified host name",
    ],
    Reason.BLOCKLISTED: [
        "554 Your address is on the blocklist of example.com",
        "550 203.0.113.5 is listed in zen.spamhaus.org",
        "554 Client host blocked using bl.example.com",
        "550 Banned sending IP [203.0.113.5]",
        "550 See https://www.spamhaus.org/query/ip/203.0.113.5",
        "550 L'adresse IP est bloquée",
    ],
    Reason.REPUTATION: [
        "554 Refused for the poor reputation of your server",
        "550 We got too many complaints about your mails",
    ],
    Reason.SENDER_ADDRESS_REFUSED: [
        "553 <news@shop.example>: Sender address rejected: Domain not found",
        "550 Invalid sender",
        "550 The domain of the sender does not exist",
        "550-<news@shop.example>: No such user\n550 Sender verify failed",
        "550 Expéditeur invalide",
    ],
    Reason.RELAYING: [
        "554 <ada@example.com>: Relay access denied",
        "550 Unable to relay for ada@example.com",
        "553 That domain is not in my list of rcpthosts",
    ],
    Reason.TLS: [
        "550 You must issue STARTTLS first",
        "550 The certificate of the server has expired",
        "550 Encryption is required",
    ],
    Reason.POLICY: [
        "550 Refused by local policy",
        "550 You are not authorized to send to this group",
        "550 Authentication is required",
        "553 Ada refused to take this mail: declined by user",
    ],
    Reason.CONTENT: [
        "550 This looks like spam",
        "554 The message contains a virus",
        "550 Attachments of this kind are not allowed",
        "550 The From: header is malformed",
    ],
    Reason.MESSAGE_TOO_LARGE: [
        "552 The message is too large",
        "552 Message size exceeds the fixed limit",
    ],
    Reason.SUPPRESSED_GLOBALLY: [
        "Amazon SES has suppressed sending to this address because it bounced lately",
    ],
    Reason.SUPPRESSED_BY_ACCOUNT: [
        "Amazon SES did not send: the address is on the suppression list for your account",
    ],
    Reason.SUPPRESSED_BY_TENANT: [
        "Amazon SES did not send: the address is on the suppression list for this tenant",
    ],
}

CODES: Final = {
    Reason.ADDRESS_UNKNOWN: "5.1.1 5.1.3 5.1.4 5.1.10 4.1.1",
    Reason.MAILBOX_CLOSED: "5.1.6 5.2.1 5.7.13 5.7.17 5.7.18",
    Reason.DOMAIN_DEAD: "5.1.2 5.4.4 5.4.310",
    Reason.MAILBOX_FULL: "5.2.2 4.2.2",
    Reason.RATE_LIMITED: "5.5.3 5.2.121 5.1.90",
    Reason.RECEIVING_SYSTEM: "5.2.4 5.3.5 5.4.6 5.4.7 4.4.7 4.4.1 4.7.0 4.3.0",
    Reason.SENDER_UNAUTHENTICATED: "5.7.20 5.7.23 5.7.26 5.7.29 5.7.509 5.7.515 4.7.26",
    Reason.REVERSE_DNS: "5.7.25 5.7.506",
    Reason.BLOCKLISTED: "5.7.511 5.7.606 5.7.649",
    Reason.REPUTATION: "5.7.28 5.7.501 5.7.705",
    Reason.SENDER_ADDRESS_REFUSED: "5.1.7 5.1.8 5.7.27",
    Reason.RELAYING: "5.7.64",
    Reason.TLS: "5.7.10 5.7.30 5.7.323",
    Reason.POLICY: "5.7.0 5.7.1 5.7.9 5.7.124 5.5.4",
    Reason.CONTENT: "5.6.0 5.6.7 5.7.350 5.7.512",
    Reason.MESSAGE_TOO_LARGE: "5.2.3 5.3.4 5.7.16",
    Reason.UNKNOWN: "5.0.0 5.1.0 5.2.0 5.3.0 5.4.0 5.4.1 5.5.0 5.1.5",
}

HINTS: Final = {
    "550 This address is rejected": Reason.ADDRESS_UNKNOWN,
    "550 Requested action not taken: mailbox unavailable": Reason.ADDRESS_UNKNOWN,
    "554 The message is refused": Reason.POLICY,
    "554 Denied": Reason.POLICY,
}

REPLIES: Final = {
    "521": Reason.DOMAIN_DEAD,
    "556": Reason.DOMAIN_DEAD,
    "551": Reason.ADDRESS_UNKNOWN,
    "552": Reason.MAILBOX_FULL,
    "523": Reason.MESSAGE_TOO_LARGE,
    "525": Reason.MAILBOX_CLOSED,
    "530": Reason.POLICY,
    "450": Reason.RECEIVING_SYSTEM,
    "550": Reason.UNKNOWN,
    "554": Reason.UNKNOWN,
}

PROVIDERS: Final = [
    # Gmail: https://support.google.com/a/answer/3726730
    (
        (
            "550-5.1.1 The email account that you tried to reach does not exist. Please try\n"
            "550-5.1.1 double-checking the recipient's email address for typos.\n"
            "550 5.1.1 https://support.google.com/mail/?p=NoSuchUser a1 - gsmtp"
        ),
        Reason.ADDRESS_UNKNOWN,
    ),
    (
        "550 5.1.1 https://support.google.com/mail/?p=NoSuchUser a1 - gsmtp",
        Reason.ADDRESS_UNKNOWN,
    ),
    (
        "550 5.2.1 The email account that you tried to reach is disabled. - gsmtp",
        Reason.MAILBOX_CLOSED,
    ),
    (
        (
            "550-5.2.1 The user you are trying to contact is receiving mail at a rate that\n"
            "550-5.2.1 prevents additional messages from being delivered. - gsmtp"
        ),
        Reason.RATE_LIMITED,
    ),
    (
        "552-5.2.2 The recipient's inbox is out of storage space. - gsmtp",
        Reason.MAILBOX_FULL,
    ),
    (
        "552 5.3.4 Your message exceeded Google's message size limits. - gsmtp",
        Reason.MESSAGE_TOO_LARGE,
    ),
    ("550 5.4.5 Daily SMTP relay limit exceeded for user. - gsmtp", Reason.RATE_LIMITED),
    (
        (
            "550-5.7.1 [203.0.113.5] This message is likely to be\n"
            "550-5.7.1 unsolicited mail. This message has been blocked. - gsmtp"
        ),
        Reason.CONTENT,
    ),
    (
        (
            "550-5.7.1 This message is likely suspicious due to the very low reputation of the\n"
            "550 5.7.1 sending IP address. - gsmtp"
        ),
        Reason.REPUTATION,
    ),
    (
        "550-5.7.25 The IP address sending this message does not have a PTR record. - gsmtp",
        Reason.REVERSE_DNS,
    ),
    (
        (
            "550-5.7.26 This mail has been blocked because the sender is unauthenticated.\n"
            "550-5.7.26 Authentication results: DKIM = did not pass - gsmtp"
        ),
        Reason.SENDER_UNAUTHENTICATED,
    ),
    ("550 5.7.30 Blocked because DKIM does not pass. - gsmtp", Reason.SENDER_UNAUTHENTICATED),
    # Microsoft 365 and Outlook.com
    (
        (
            "550 5.4.1 Recipient address rejected: Access denied. AS(201806281) "
            "[mx.prod.protection.outlook.com]"
        ),
        Reason.ADDRESS_UNKNOWN,
    ),
    ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; not found", Reason.ADDRESS_UNKNOWN),
    ("550 5.1.8 Service unavailable, bad outbound sender", Reason.SENDER_ADDRESS_REFUSED),
    ("550 5.7.606 Access denied, banned sending IP [203.0.113.5]", Reason.BLOCKLISTED),
    (
        (
            "550 5.7.1 Unfortunately, messages from [203.0.113.5] weren't sent. Part of that "
            "network is on our block list (S3150)."
        ),
        Reason.BLOCKLISTED,
    ),
    (
        (
            "550 5.7.515 Access denied, sending domain shop.example does not meet the required "
            "authentication level."
        ),
        Reason.SENDER_UNAUTHENTICATED,
    ),
    ("550 5.7.509 Access denied, sending domain fails DMARC", Reason.SENDER_UNAUTHENTICATED),
    ("550 5.7.64 Relay Access Denied", Reason.RELAYING),
    ("550 5.7.708 Access denied, traffic not accepted from this IP", Reason.REPUTATION),
    ("550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup", Reason.POLICY),
    ("554 5.2.2 mailbox full; STOREDRV.Deliver; QuotaExceeded", Reason.MAILBOX_FULL),
    ("554 5.4.14 Hop count exceeded - possible mail loop", Reason.RECEIVING_SYSTEM),
    ("550 5.7.323 tlsa-invalid: DANE has failed", Reason.TLS),
    # Yahoo: https://senders.yahooinc.com/smtp-error-codes/
    (
        "554 delivery error: dd This user doesn't have a yahoo.com account (ada@yahoo.com)",
        Reason.ADDRESS_UNKNOWN,
    ),
    ("554 30 Sorry, this mailbox is disabled (554.30)", Reason.MAILBOX_CLOSED),
    ("553 5.7.2 [TSS09] All messages from 203.0.113.5 are permanently deferred", Reason.REPUTATION),
    ("553 5.7.1 [BL21] Connections not accepted, the IP is listed", Reason.BLOCKLISTED),
    ("554 5.7.9 Message not accepted for policy reasons", Reason.SENDER_UNAUTHENTICATED),
    ("554 Message not allowed - [PH01] Email not accepted for policy reasons.", Reason.POLICY),
    # Apple: https://support.apple.com/102322
    ("550 5.1.1 unknown or illegal alias: ada@example.com", Reason.ADDRESS_UNKNOWN),
    ("552 5.2.2 <ada@example.com>: user is over quota", Reason.MAILBOX_FULL),
    ("550 5.7.1 [CS01] Message rejected due to local policy.", Reason.POLICY),
    ("550 5.7.1 [HM08] Message rejected due to local policy.", Reason.POLICY),
    (
        "554 5.7.1 Your message was rejected due to shop.example's DMARC policy.",
        Reason.SENDER_UNAUTHENTICATED,
    ),
    ("550 5.7.0 Blocked - see https://ipcheck.proofpoint.com/?ip=203.0.113.5", Reason.BLOCKLISTED),
    # Spectrum, Orange, SES itself
    ("550 5.1.0 <news@shop.example> sender rejected. AUP#1310", Reason.SENDER_ADDRESS_REFUSED),
    ("554 203.0.113.5 refused. AUP#In-1020", Reason.REPUTATION),
    ("550 5.1.1 Adresse invalide. Invalid recipient. OFR_416", Reason.ADDRESS_UNKNOWN),
    (
        (
            "550 4.4.7 Message expired: unable to deliver in 840 minutes."
            "<421 4.4.0 Unable to lookup DNS for example.com>"
        ),
        Reason.RECEIVING_SYSTEM,
    ),
]


def examples() -> list[tuple[str, Reason]]:
    """Every example with the reason it has."""
    return [
        *((text, reason) for reason, texts in WORDS.items() for text in texts),
        *((f"550 {code}", reason) for reason, codes in CODES.items() for code in codes.split()),
        *HINTS.items(),
        *REPLIES.items(),
        *PROVIDERS,
    ]


@pytest.mark.parametrize(("diagnostic", "reason"), examples())
def test_an_answer_has_a_reason(diagnostic: str, reason: Reason) -> None:
    """Words, codes and the published answers of providers are read for what they mean."""
    assert read(f"smtp; {diagnostic}").reason == reason


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.reason}-{rule.source}")
def test_each_rule_decides_an_example(rule: Rule) -> None:
    """No rule stands in the table without a use, or behind another that takes all from it."""
    answers = [answer_in(f"smtp; {text}") for text, _ in examples()]
    assert any(
        next(each for each in RULES if each.fits(answer)) is rule
        for answer in answers
        if rule.fits(answer)
    )


def test_every_reason_has_an_action() -> None:
    """What to do is known for each reason, and those of a bounce are never unclear about it."""
    assert set(ACTIONS) == set(Reason)
    assert {reason for reason, action in ACTIONS.items() if action is Action.REVIEW} == {
        Reason.UNKNOWN
    }


@pytest.mark.parametrize(
    ("reason", "action"),
    [
        ("address-unknown", "stop-sending"),
        ("mailbox-closed", "stop-sending"),
        ("domain-dead", "stop-sending"),
        ("mailbox-full", "retry-later"),
        ("rate-limited", "retry-later"),
        ("receiving-system", "retry-later"),
        ("sender-unauthenticated", "fix-sender"),
        ("reverse-dns", "fix-sender"),
        ("blocklisted", "fix-sender"),
        ("reputation", "fix-sender"),
        ("sender-address-refused", "fix-sender"),
        ("relaying", "fix-sender"),
        ("tls", "fix-sender"),
        ("policy", "fix-sender"),
        ("content", "fix-sender"),
        ("message-too-large", "fix-sender"),
        ("suppressed-globally", "stop-sending"),
        ("suppressed-by-account", "stop-sending"),
        ("suppressed-by-tenant", "stop-sending"),
        ("validation-suppressed", "stop-sending"),
        ("unsubscribed-recipient", "none"),
        ("unknown", "review"),
        ("spam-report", "stop-sending"),
        ("fraud-or-virus", "fix-sender"),
        ("authentication-failure", "fix-sender"),
        ("not-spam", "none"),
        ("opt-out", "stop-sending"),
        ("reject", "fix-sender"),
        ("rendering-failure", "fix-sender"),
    ],
)
def test_the_table_of_actions_is_a_contract(reason: str, action: str) -> None:
    """Programs act on these words."""
    assert ACTIONS[Reason(reason)] == action


@pytest.mark.parametrize(
    "diagnostic",
    [
        "smtp; 550 refused, client [203.5.7.1]",
        "smtp; 550 refused by 5.1.1.20",
        "smtp; 550 refused, build 15.1.1",
        "smtp; 550 refused by example-5.1.1",
        "smtp; 550 refused, version 5.1.1",
        "smtp; 550 refused, see /codes/5.1.1",
        "smtp; 550 refused 5.1.1a",
        "smtp; 550 refused 5.8.1",
    ],
)
def test_no_code_is_read_from_an_ip_address_a_version_or_a_path(diagnostic: str) -> None:
    """Answers name servers and programs, and the digits of those mean nothing."""
    assert read(diagnostic).code is None


@pytest.mark.parametrize(
    ("diagnostic", "code"),
    [
        ("smtp; 550 #5.1.1 no", "5.1.1"),
        ("smtp; 550 no (#5.1.1)", "5.1.1"),
        ("smtp; 550-5.1.1 no", "5.1.1"),
        ("550 5.1.1: no", "5.1.1"),
        ("550 no, dsn=5.1.1.", "5.1.1"),
        ("550 5.0.0 no 550 5.1.1 no", "5.1.1"),
        ("550 5.7.1 no 550 5.1.1 no", "5.7.1"),
        ("550 5.0.0 no", "5.0.0"),
        ("550 5.7.606 no", "5.7.606"),
        (None, None),
    ],
)
def test_the_first_code_that_names_a_cause_is_read(diagnostic: str | None, code: str) -> None:
    """However it is written; one that ends with a zero says less than any other."""
    assert read(diagnostic).code == code


@pytest.mark.parametrize(
    ("diagnostic", "reply"),
    [
        ("smtp; 550 no", "550"),
        ("550-no", "550"),
        ("host mx.example.com[203.0.113.5] said: 552 no", "552"),
        ("5.1.0 - Unknown address error 540-'no' (delivery attempts: 0)", "540"),
        ("the mailbox holds 550 mails", None),
        ("203.0.113.550 refused", None),
        ("no", None),
    ],
)
def test_the_reply_code_is_read_where_a_server_gives_it(diagnostic: str, reply: str | None) -> None:
    """A number within a sentence is none."""
    assert read(diagnostic).reply == reply


@pytest.mark.parametrize(
    ("quoted", "reason"),
    [
        ("550-'5.2.2 <ada@example.com>... Mailbox Full'", Reason.MAILBOX_FULL),
        ("550-'5.7.26 <ada@example.com>: no'", Reason.SENDER_UNAUTHENTICATED),
        ("550-'5.7.1 <ada@example.com>... Access denied'", Reason.POLICY),
        ("550-'5.1.1 User unknown'", Reason.ADDRESS_UNKNOWN),
        ("554-'the mail looks like spam'", Reason.CONTENT),
        ("550-'we don't know'", Reason.UNKNOWN),
    ],
)
def test_what_ses_quotes_counts_and_its_own_sentence_does_not(quoted: str, reason: Reason) -> None:
    """SES calls everything an unknown address; the server's answer stands between the quotes."""
    prefix = "smtp; 5.1.0 - Unknown address error"
    assert read(f"{prefix} {quoted} (delivery attempts: 0)").reason == reason


def test_the_code_of_ses_counts_where_the_server_gives_none() -> None:
    """A quoted answer without a code leaves SES's own."""
    assert read("5.4.7 - Delivery expired (message too old) 'timeout'").code == "5.4.7"
    assert read("5.1.2 - Bad destination host 'DNS Hard Error: NXDomain'").reason == "domain-dead"


@pytest.mark.parametrize(
    "diagnostic",
    [
        "smtp; 550-5.7.1 The mailbox\n550-5.7.1 is\n550 5.7.1 full",
        "smtp; 550-5.7.1 The mailbox 550-5.7.1 is 550 5.7.1 full",
        "smtp; 550 5.7.1 The\tmailbox  is\r\n full",
        "SMTP; 550 5.7.1 THE MAILBOX IS FULL",
        "smtp; 550 5.7.1 The mailbox of <ada@example.com> (on mx.example.com) is full!",
    ],
)
def test_the_breaks_of_an_answer_do_not_part_its_sentences(diagnostic: str) -> None:
    """Lines, the codes they begin with, gaps and names are no part of what is said."""
    assert read(diagnostic).reason == Reason.MAILBOX_FULL


@pytest.mark.parametrize(
    "name",
    [
        "<mailbox.full@example.com>",
        "spamhaus@example.com",
        "mailbox-full.example.com",
        "https://example.com/mailbox/full",
        "www.example.com/user-unknown",
    ],
)
def test_names_mean_nothing(name: str) -> None:
    """An address, a host and a link can be called anything."""
    assert read(f"smtp; 550 {name} went wrong").reason == Reason.UNKNOWN


def test_words_of_two_sentences_are_not_joined() -> None:
    """What is unknown is not the user of the sentence before."""
    assert read("550 Dear user. The cause is unknown to us").reason == Reason.UNKNOWN


def test_words_come_before_codes() -> None:
    """Servers choose their words with more care than their codes."""
    reading = read("smtp; 552 5.1.1 The mailbox is over quota")
    assert reading.reason == Reason.MAILBOX_FULL
    assert reading.sources == (Source.WORDS,)
    assert reading.against == (Source.CODE,)


@pytest.mark.parametrize("code", ["5.1.7", "5.1.8"])
def test_a_code_of_the_sender_comes_before_words(code: str) -> None:
    """An invalid address is the sender's where the code says so."""
    assert read(f"550 {code} Invalid address").reason == Reason.SENDER_ADDRESS_REFUSED


@pytest.mark.parametrize(
    ("diagnostic", "sub_type", "confidence"),
    [
        ("550 5.1.1 User unknown", "General", "high"),
        ("550 5.2.1 User unknown", "General", "high"),
        ("550 5.1.1", "NoEmail", "high"),
        ("550 User unknown", "General", "medium"),
        ("550 5.1.1", "General", "medium"),
        ("550 5.0.0 User unknown", "General", "medium"),
        (None, "MailboxFull", "medium"),
        ("550 5.7.1 User unknown", "General", "low"),
        ("550 5.1.1 User unknown", "MailboxFull", "low"),
        (None, "NoEmail", "low"),
        ("550 5.7.1 Refused by policy", "NoEmail", "low"),
        ("550 This address is rejected", "General", "low"),
        ("552", "General", "low"),
        (None, "General", "low"),
        (None, "OnAccountSuppressionList", "high"),
    ],
)
def test_confidence_is_who_agrees(diagnostic: str | None, sub_type: str, confidence: str) -> None:
    """Two that call for the same are sure, one is likely, a contradiction or a hint is neither."""
    assert read(diagnostic, sub_type).confidence == confidence


def test_a_more_precise_reason_stands_for_a_policy() -> None:
    """Nearly everything is a policy; the code or the subtype that says which one counts."""
    assert read("550 5.7.25 Refused by policy").reason == Reason.REVERSE_DNS
    assert read("550 5.7.1", "ContentRejected").reason == Reason.CONTENT


@pytest.mark.parametrize(
    ("sub_type", "reason"),
    [
        ("Suppressed", Reason.SUPPRESSED_GLOBALLY),
        ("OnAccountSuppressionList", Reason.SUPPRESSED_BY_ACCOUNT),
        ("ON_ACCOUNT_SUPPRESSION_LIST", Reason.SUPPRESSED_BY_ACCOUNT),
        ("OnTenantSuppressionList", Reason.SUPPRESSED_BY_TENANT),
        ("ON_TENANT_SUPPRESSION_LIST", Reason.SUPPRESSED_BY_TENANT),
        ("UnsubscribedRecipient", Reason.UNSUBSCRIBED_RECIPIENT),
        ("UNSUBSCRIBED_RECIPIENT", Reason.UNSUBSCRIBED_RECIPIENT),
        ("EmailValidationSuppressed", Reason.VALIDATION_SUPPRESSED),
        ("email-validation-suppressed", Reason.VALIDATION_SUPPRESSED),
        ("NoEmail", Reason.ADDRESS_UNKNOWN),
        ("NO_EMAIL", Reason.ADDRESS_UNKNOWN),
        ("MailboxFull", Reason.MAILBOX_FULL),
        ("MAILBOX_FULL", Reason.MAILBOX_FULL),
        ("MessageTooLarge", Reason.MESSAGE_TOO_LARGE),
        ("ContentRejected", Reason.CONTENT),
        ("ATTACHMENT_REJECTED", Reason.CONTENT),
        ("CustomTimeoutExceeded", Reason.RECEIVING_SYSTEM),
        ("General", Reason.UNKNOWN),
        ("Undetermined", Reason.UNKNOWN),
        ("SomethingNew", Reason.UNKNOWN),
        ("", Reason.UNKNOWN),
        (None, Reason.UNKNOWN),
    ],
)
def test_a_subtype_speaks_in_any_spelling(sub_type: str | None, reason: Reason) -> None:
    """Alone it names the reason; General, Undetermined and new ones name none."""
    assert read(None, sub_type).reason == reason


@pytest.mark.parametrize(
    ("diagnostic", "sub_type", "reason"),
    [
        ("550 Refused by policy", "NoEmail", Reason.POLICY),
        ("550 5.7.26 no", "NoEmail", Reason.SENDER_UNAUTHENTICATED),
        ("550 The message is refused", "NoEmail", Reason.ADDRESS_UNKNOWN),
        ("550 User unknown", "MailboxFull", Reason.ADDRESS_UNKNOWN),
        ("550 5.1.1 User unknown", "Suppressed", Reason.SUPPRESSED_GLOBALLY),
        ("550 Refused by policy", "UnsubscribedRecipient", Reason.UNSUBSCRIBED_RECIPIENT),
    ],
)
def test_a_subtype_yields_to_words_and_codes_but_for_what_ses_did_not_try(
    diagnostic: str, sub_type: str, reason: Reason
) -> None:
    """The server knows better than SES why it refused; a hint knows less than SES."""
    assert read(diagnostic, sub_type).reason == reason


@pytest.mark.parametrize(
    ("diagnostic", "final"),
    [
        ("550 5.1.1 no", True),
        ("550 no", True),
        ("450 4.1.1 no", False),
        ("550 4.4.7 no", False),
        ("no", False),
        (None, False),
    ],
)
def test_an_answer_is_final_by_its_class(diagnostic: str | None, final: bool) -> None:  # noqa: FBT001
    """Five means never, four means not now; the enhanced code is the one to trust."""
    assert read(diagnostic).is_final is final


@pytest.mark.parametrize("word", ["On_Account-Suppression List7", "onaccountsuppressionlist7"])
def test_words_are_compared_without_case_and_punctuation(word: str) -> None:
    """Two spellings of one word are one word; digits count."""
    assert plain(word) == "onaccountsuppressionlist7"


def test_no_word_is_an_empty_word() -> None:
    """SES leaves fields out."""
    assert plain(None) == ""


@pytest.mark.parametrize(
    "diagnostic",
    [
        "550 Your account has been suspended",
        "550 Your domain does not exist",
        "550 Your domain has no MX record",
        "550 Cannot resolve your domain",
        "550 Cannot find your IP address in our list of friends",
        "550 news@shop.example is not a valid sender address",
        "550 The host of the sender is not found",
        "550 This server no longer accepts mail from your network",
        "550 This recipient is restricted to internal senders",
        "550 Address blocked",
        "550 Your host name is unknown",
        "550 Your email could not be verified",
        "550 The IP address is invalid",
    ],
)
def test_what_is_said_of_the_sender_stops_no_mail_to_the_recipient(diagnostic: str) -> None:
    """Unknown, closed or not found is the sender's domain, account or server as often."""
    assert ACTIONS[read(diagnostic).reason] is not Action.STOP_SENDING


@pytest.mark.parametrize(
    "diagnostic",
    [
        "550 The server rejected your mail: no such user",
        "550 The destination server refused the recipient: user unknown",
        "550 Your message was not delivered because the account was closed",
        "550 Message to ada blocked: mailbox disabled",
        "550 5.7.1 Refused by policy: no such mailbox",
    ],
)
def test_a_dead_address_is_dropped_whatever_else_is_said(diagnostic: str) -> None:
    """Mail to it harms the sender, however politely it is refused."""
    assert ACTIONS[read(diagnostic).reason] is Action.STOP_SENDING


# ------------------------------------------------------------------------------ hostile answers

HOSTILE: Final = [
    "a " * READ_LENGTH,
    "a" * 1_000_000,
    "user not " * 1_000,
    "sender sender " * 1_000,
    "no such .. " * 1_000,
    "550-5.7.1 " * 1_000,
    "5.1.0 - a" * 1_000,
    "5.1.0 - " + "a " * 2_000 + "'",
    "." * READ_LENGTH,
    "'" * READ_LENGTH,
    "<" * READ_LENGTH,
    "http://" * 1_000,
    "a.b@" * 1_000,
    "aB" * 1_000,
    "A.B" * 1_000,
    "İ" * READ_LENGTH,
    "\ufdfa" * READ_LENGTH,
    "ящик " * 1_000,
    "邮箱" * READ_LENGTH,
    "\x00" * READ_LENGTH,
]


@pytest.mark.parametrize("diagnostic", HOSTILE, ids=lambda text: repr(text[:12]))
def test_a_hostile_answer_is_cut(diagnostic: str) -> None:
    """However long it is and whatever its letters become, a bounded part of it is read."""
    answer = answer_in(diagnostic)
    assert len(answer.text) <= READ_LENGTH
    assert len(answer.words.split()) <= READ_WORDS


@pytest.mark.parametrize("diagnostic", HOSTILE, ids=lambda text: repr(text[:12]))
def test_a_hostile_answer_is_read_in_no_time(diagnostic: str) -> None:
    """A limit that a slow machine keeps, too: it takes milliseconds."""
    begin = time.perf_counter()
    read(diagnostic)
    assert time.perf_counter() - begin < 1


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.reason}-{rule.source}")
def test_a_pattern_repeats_single_characters_only_and_not_for_ever(rule: Rule) -> None:
    """Nothing repeated stands within something repeated, so no answer makes a pattern slow."""
    pattern = rule.pattern
    assert not re.search(r"\)[*+{]", pattern), "a group is repeated"
    assert not re.search(r"(?<!\\)[*+]", pattern), "something is repeated without end"
    bounds = [int(bound) for bound in re.findall(r"\{\d+,(\d+)\}", pattern)]
    assert all(bound <= 30 for bound in bounds)


def test_what_is_beyond_the_cut_does_not_count() -> None:
    """A cause has to come early."""
    assert read("x" * READ_LENGTH + " user unknown").reason == Reason.UNKNOWN
    assert read("user unknown " + "x" * READ_LENGTH).reason == Reason.ADDRESS_UNKNOWN


PARTS: Final = (
    ("550", "5.1.1", "5.7.1", "4.2.2", "550-'5.2.2", "203.0.113.5", "<ada@example.com>", "host"),
    ("user", "unknown", "not", "mailbox", "full", "sender", "rejected", "spam", "Disabled"),
    (".", ";", "<", ">", "'", "-", "https://example.com/?p=NoSuchUser", "5.1.0 - Some error"),
)
SOME_WORDS: Final = st.lists(st.sampled_from([part for parts in PARTS for part in parts])).map(
    " ".join
)
ANSWERS: Final = st.none() | st.text(max_size=300) | SOME_WORDS
SUB_TYPES: Final = st.none() | st.text(max_size=30) | st.sampled_from(sorted(SUBTYPES))


@given(ANSWERS, SUB_TYPES)
def test_any_answer_has_one_reason_of_a_bounce(
    diagnostic: str | None, sub_type: str | None
) -> None:
    """Nothing that a server or SES writes is an error, and none of it is a complaint."""
    reading = read(diagnostic, sub_type)
    assert reading.reason not in {Reason.SPAM_REPORT, Reason.REJECT, Reason.NOT_SPAM}
    assert bool(reading.sources) is (reading.reason is not Reason.UNKNOWN)


@given(ANSWERS, SUB_TYPES)
def test_an_unknown_cause_orders_no_stop(diagnostic: str | None, sub_type: str | None) -> None:
    """An address is dropped for a reason, or not at all."""
    reading = read(diagnostic, sub_type)
    if ACTIONS[reading.reason] is Action.STOP_SENDING:
        assert reading.sources
    if reading.reason is Reason.UNKNOWN:
        assert ACTIONS[reading.reason] is Action.REVIEW
        assert reading.confidence is Confidence.LOW


@given(ANSWERS, st.sampled_from(sorted(SUBTYPES)))
def test_no_answer_overrules_what_ses_did_not_try(diagnostic: str | None, sub_type: str) -> None:
    """Where SES did not attempt delivery, no server has said anything."""
    if SUBTYPES[sub_type] in NOT_ATTEMPTED:
        assert read(diagnostic, sub_type).reason is SUBTYPES[sub_type]


@given(SOME_WORDS)
def test_gaps_do_not_change_a_reading(diagnostic: str) -> None:
    """SES keeps the line ends of some answers and writes others in one line."""
    assert read(diagnostic) == read(diagnostic.replace(" ", "\r\n\t"))


# --------------------------------------------------------------------------------- links of help


@pytest.mark.parametrize(
    ("link", "words"),
    [
        ("https://support.google.com/mail/?p=NoSuchUser", " no such user "),
        ("https://support.google.com/mail/?p=NoSuchUser?p=Full", " no such user p full "),
        ("https://support.example.com/mail/NoSuchUser", " "),
        ("https://x.example/?p=" + 41 * "a", f" {40 * 'a'} "),
    ],
)
def test_of_a_link_the_page_of_gmails_help_is_read(link: str, words: str) -> None:
    """It names the cause; the rest of a link is chosen by somebody and means nothing."""
    assert answer_in(link).words.replace("  ", " ") == words


def test_of_an_answer_2048_characters_and_160_words_are_read() -> None:
    """A cause comes early; a line of SMTP ends at 512."""
    assert len(answer_in("x" * 5_000).text) == 2_048
    assert len(answer_in("x " * 500).words.split()) == 160


# ---------------------------------------------------------------------- the words of an answer


@pytest.mark.parametrize(
    ("diagnostic", "words"),
    [
        ("550 User...unknown", " user . unknown "),
        ("550 mailbox<full>now", " mailbox full now "),
        ("550 5.1.1 <ada@b.example>: (disabled)", " addr disabled "),
        ("550 a@b.example:closed and a@x:y@z:gone", " addr closed and addr y z gone "),
        ("The recipient's mailbox. It's full!", " the recipients mailbox . its full . "),
        ("mailbox 5.1.1full", " mailbox "),
        ("mailbox<5.1.1>full", " mailbox full "),
        ("X mailbox X", " x mailbox x "),
        (None, " "),
    ],
)
def test_the_words_of_an_answer_are_told_from_all_else(diagnostic: str | None, words: str) -> None:
    """Without numbers and names; an address is one word, and a sentence has an end."""
    assert answer_in(diagnostic).words.replace("  ", " ") == words


@pytest.mark.parametrize(
    ("inner", "words", "code", "reply"),
    [
        ("5.2.2 mailbox full (delivery attempts: 0)", " mailbox full ", "5.2.2", "550"),
        ("mailbox full (delivery attempts: 0)", " mailbox full ", "5.1.0", "550"),
        (
            "5.2.2 full (delivery attempts: 0) (delivery attempts: 1)",
            " full ",
            "5.2.2",
            "550",
        ),
        (
            "(delivery attempts: 0) no",
            " unknown address error delivery attempts no ",
            "5.1.0",
            None,
        ),
    ],
)
def test_in_sess_own_sentence_the_servers_answer_is_read(
    inner: str, words: str, code: str, reply: str | None
) -> None:
    """Where there is one; else SES's own words are all there is."""
    answer = answer_in(f"5.1.0 - Unknown address error 550-'{inner}'")
    assert (answer.words, answer.code, answer.reply) == (words, code, reply)


def test_what_was_not_attempted_keeps_the_codes_that_were_read() -> None:
    """Nobody is against it; and of nothing nothing is read."""
    assert read("550 5.1.1 unknown", "OnAccountSuppressionList") == Reading(
        SUBTYPES["onaccountsuppressionlist"], Confidence.HIGH, (Source.SUBTYPE,), (), "5.1.1", "550"
    )
    assert read(None) == Reading(Reason.UNKNOWN, Confidence.LOW, (), (), None, None)
