"""Why a mail was refused, read from what the recipient's server answered.

One ordered table of rules: first the words of the answer, then its enhanced status code (RFC 3463),
then SES's own subtype, then words that hint at a cause, then the reply code of SMTP. The first rule
that fits names the reason; what the others say makes it more sure or less.

Words come first because servers choose their words with more care than their codes: 5.7.1 stands
for everything, and many answers have no code at all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Final

from ses_insights.domain.answer import Answer, answer_in


class Reason(StrEnum):
    """Why a mail did not arrive, or what a report says about it."""

    ADDRESS_UNKNOWN = "address-unknown"
    MAILBOX_CLOSED = "mailbox-closed"
    DOMAIN_DEAD = "domain-dead"
    MAILBOX_FULL = "mailbox-full"
    RATE_LIMITED = "rate-limited"
    RECEIVING_SYSTEM = "receiving-system"
    SENDER_UNAUTHENTICATED = "sender-unauthenticated"
    REVERSE_DNS = "reverse-dns"
    BLOCKLISTED = "blocklisted"
    REPUTATION = "reputation"
    SENDER_ADDRESS_REFUSED = "sender-address-refused"
    RELAYING = "relaying"
    TLS = "tls"
    POLICY = "policy"
    CONTENT = "content"
    MESSAGE_TOO_LARGE = "message-too-large"
    SUPPRESSED_GLOBALLY = "suppressed-globally"
    SUPPRESSED_BY_ACCOUNT = "suppressed-by-account"
    SUPPRESSED_BY_TENANT = "suppressed-by-tenant"
    VALIDATION_SUPPRESSED = "validation-suppressed"
    UNSUBSCRIBED_RECIPIENT = "unsubscribed-recipient"
    UNKNOWN = "unknown"
    SPAM_REPORT = "spam-report"
    FRAUD_OR_VIRUS = "fraud-or-virus"
    AUTHENTICATION_FAILURE = "authentication-failure"
    NOT_SPAM = "not-spam"
    OPT_OUT = "opt-out"
    REJECT = "reject"
    RENDERING_FAILURE = "rendering-failure"


class Action(StrEnum):
    """What the sender should do about it."""

    STOP_SENDING = "stop-sending"
    """Send nothing more to this address."""
    RETRY_LATER = "retry-later"
    """The address may be good: the receiving side may take mail again."""
    FIX_SENDER = "fix-sender"
    """The address may be good: the sender, its DNS records or the message need a change."""
    REVIEW = "review"
    """A person has to read the answer first."""
    NONE = "none"


class Severity(StrEnum):
    """How soon somebody should act."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class Confidence(StrEnum):
    """How far the reason can be trusted."""

    HIGH = "high"
    """Words, code and subtype call for the same action, at least two of them."""
    MEDIUM = "medium"
    """One of them speaks."""
    LOW = "low"
    """They contradict each other, or what speaks is not clear."""


ACTIONS: Final[dict[Reason, Action]] = {
    Reason.ADDRESS_UNKNOWN: Action.STOP_SENDING,
    Reason.MAILBOX_CLOSED: Action.STOP_SENDING,
    Reason.DOMAIN_DEAD: Action.STOP_SENDING,
    Reason.MAILBOX_FULL: Action.RETRY_LATER,
    Reason.RATE_LIMITED: Action.RETRY_LATER,
    Reason.RECEIVING_SYSTEM: Action.RETRY_LATER,
    Reason.SENDER_UNAUTHENTICATED: Action.FIX_SENDER,
    Reason.REVERSE_DNS: Action.FIX_SENDER,
    Reason.BLOCKLISTED: Action.FIX_SENDER,
    Reason.REPUTATION: Action.FIX_SENDER,
    Reason.SENDER_ADDRESS_REFUSED: Action.FIX_SENDER,
    Reason.RELAYING: Action.FIX_SENDER,
    Reason.TLS: Action.FIX_SENDER,
    Reason.POLICY: Action.FIX_SENDER,
    Reason.CONTENT: Action.FIX_SENDER,
    Reason.MESSAGE_TOO_LARGE: Action.FIX_SENDER,
    Reason.SUPPRESSED_GLOBALLY: Action.STOP_SENDING,
    Reason.SUPPRESSED_BY_ACCOUNT: Action.STOP_SENDING,
    Reason.SUPPRESSED_BY_TENANT: Action.STOP_SENDING,
    Reason.VALIDATION_SUPPRESSED: Action.STOP_SENDING,
    Reason.UNSUBSCRIBED_RECIPIENT: Action.NONE,
    Reason.UNKNOWN: Action.REVIEW,
    Reason.SPAM_REPORT: Action.STOP_SENDING,
    Reason.FRAUD_OR_VIRUS: Action.FIX_SENDER,
    Reason.AUTHENTICATION_FAILURE: Action.FIX_SENDER,
    Reason.NOT_SPAM: Action.NONE,
    Reason.OPT_OUT: Action.STOP_SENDING,
    Reason.REJECT: Action.FIX_SENDER,
    Reason.RENDERING_FAILURE: Action.FIX_SENDER,
}


class Source(StrEnum):
    """Who names a reason."""

    WORDS = "words"
    """What the recipient's server wrote."""
    MARK = "mark"
    """A name in it that stands for a cause, such as a blocklist's, or words in another script."""
    CODE = "code"
    """Its enhanced status code."""
    SUBTYPE = "subtype"
    """SES's own word for the bounce."""
    HINT = "hint"
    """Words that hint at a cause and name none."""
    REPLY = "reply"
    """Its three-digit reply code."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer was found to say."""

    reason: Reason
    confidence: Confidence
    sources: tuple[Source, ...] = ()
    """Who called for the action that was taken, the one that decided first."""
    against: tuple[Source, ...] = ()
    """Who called for another action."""
    code: str | None = None
    """The enhanced status code that was read, or None."""
    reply: str | None = None
    """The three-digit reply code that was read, or None."""

    @property
    def is_final(self) -> bool:
        """Whether the server's own code says that the answer will stay the same."""
        return (self.code or self.reply or "").startswith("5")


# ------------------------------------------------------------------------------ the rules

# Patterns are compiled when they are first used: all of them take 50 ms, too long for an import.
_compiled: Final = cache(re.compile)


@dataclass(frozen=True, slots=True)
class Rule:
    """A reason, and what an answer looks like that is given for it."""

    reason: Reason
    source: Source
    pattern: str

    def fits(self, answer: Answer) -> bool:
        """Whether the answer is of this kind."""
        match self.source:
            case Source.CODE:
                return _compiled(self.pattern).fullmatch(answer.code or "") is not None
            case Source.REPLY:
                return _compiled(self.pattern).fullmatch(answer.reply or "") is not None
            case Source.MARK:
                return _compiled(self.pattern).search(answer.text) is not None
            case _:
                return _compiled(self.pattern).search(answer.words) is not None


# How phrases are written below: `..` is a few words of the same sentence or none, `*` any ending,
# `(a|b)` a choice, `?` makes what is before it optional. So each phrase reads as it is said, and
# nothing in it can be repeated without end, or within what is repeated.
_ADDRESS: Final = "(?<!ip )(?<!from )(?<!client )(?<!your )(?<!sender )address"
_WHO: Final = (
    f"(?:users?|recipients?|mail ?box(?:es)?|{_ADDRESS}(?:es|ees?)?|addr|(?<!your )accounts?|rcpt|"
    "recip|persons?|members?|customers?|alias|user ?name|user ?id|"
    "local ?part|inbox|destination)"
)
_NOT: Final = "(?:not|isnt|wasnt|doesnt|does not|dont|do not|cannot|cant|couldnt|could not|can not)"
_SHORTHAND: Final = (
    (r"\((?!\?)", "(?:"),
    (r" \.\. ", "(?= )[^.]{0,30} "),
    (r"\*", "[a-z]{0,20}"),
    ("WHO", _WHO),
    ("ADDRESS", _ADDRESS),
    ("NOT", _NOT),
)


def _phrases(reason: Reason, *phrases: str, source: Source = Source.WORDS) -> Rule:
    """Make a rule for phrases; each begins and ends with a whole word."""
    pattern = "|".join(phrases)
    for short, long in _SHORTHAND:
        pattern = re.sub(short, long, pattern)
    return Rule(reason, source, f" (?:{pattern})(?= )")


def _hints(reason: Reason, *phrases: str) -> Rule:
    """Make a rule for phrases that name no cause."""
    return _phrases(reason, *phrases, source=Source.HINT)


def _marks(reason: Reason, *marks: str) -> Rule:
    """Make a rule for parts of words, host names and links, and for other scripts than ours."""
    return Rule(reason, Source.MARK, "|".join(marks))


def _codes(reason: Reason, codes: str, class_: str = "[45]") -> Rule:
    """Make a rule for status codes, without their class: ``1.1``, ``7.6xx``, ``6.*``."""
    alternatives = "|".join(codes.split()).replace(".", r"\.")
    alternatives = alternatives.replace("x", r"\d").replace("*", r"\d{1,3}")
    return Rule(reason, Source.CODE, rf"{class_}\.(?:{alternatives})")


def _replies(reason: Reason, replies: str) -> Rule:
    """Make a rule for reply codes."""
    return Rule(reason, Source.REPLY, "|".join(replies.split()))


_STATED: Final = (
    # These codes speak of the sender, whatever it is that the words say does not exist.
    _codes(Reason.SENDER_ADDRESS_REFUSED, "1.7 1.8 7.27"),
    # SES's own sentences about addresses it did not try.
    _phrases(Reason.SUPPRESSED_BY_TENANT, "suppression list .. tenant"),
    _phrases(Reason.SUPPRESSED_BY_ACCOUNT, "suppression list .. account"),
    _phrases(Reason.SUPPRESSED_GLOBALLY, "suppressed sending", "recent history of bouncing"),
    # Names of blocklists, which nobody mentions for another reason.
    _marks(
        Reason.BLOCKLISTED,
        "spamhaus",
        "spamcop",
        "spamrats",
        r"\bsorbs\b",
        "barracuda(?:central|networks| reputation)",
        "uceprotect",
        r"\binvaluement",
        r"\bivmsip",
        r"abuseat\.org",
        "abusix",
        "mailspike",
        "senderscore",
        "hostkarma",
        "junkemailfilter",
        r"\bdrbl\b",
        r"\b(?:dns|uri|su|rh)?[rds]?bl\b",
        "dnsbl",
        r"\b(?:uribl|surbl)\b",
        r"csi\.cloudmark",
        r"ipcheck\.proofpoint",
        "nix ?spam",
        "symantec zodiac",
        r"\bs31[45]0\b",
        r"\bbl0\d{5}\b",
        r"\[bl2[13]\]",
        "/(?:denyip|rbl|unblock|blacklist)",
    ),
    # The sender and its server, before anybody is said to be unknown or not found.
    _phrases(
        Reason.SENDER_ADDRESS_REFUSED,
        "sender verif(y|ication)",
        "(callout|call ?back) .. (sender|verif*)",
        "senders? .. (rejected|refused|denied|invalid|unknown|unverified|unroute?able|resolved?|"
        "exist|not found|not valid|misformat*|null mx|missing|suspended|not allowed|"
        "illegal|syntax)",
        "senders? .. has no",
        "not (a )?valid (sender|from|return)",
        "your (e ?mail |mail |sender )?(address|domain|account) .. (invalid|not|no|unknown|"
        "rejected|disabled|suspended|locked|closed)",
        "(find|resolve|verify|locate|validate) (your|senders?|the senders?|sending|from) .. "
        "(domain|address|sender)",
        "(invalid|unknown|unroute?able|bad|illegal|undeliverable|unverified|missing|unresolvable|"
        "fake|false|improper|null|empty|blank) (e ?mail )?(senders?|return path|envelope sender|"
        "envelope from|mail from|originator|from address|reply address|return address|from)",
        "domain (name )?(of|in) (the )?(senders?|from|return path|envelope|mail from)",
        "(mail ?from|from|return path|envelope sender|originator|reverse path) .. "
        "(is invalid|not valid|not exist|not resolve|not verified|not be verified)",
        "from (address|domain) .. (invalid|not|must|missing|mismatch*|rejected)",
        "mail ?from(?! ip) .. (rejected|refused|denied|mismatch*)",
        "bad outbound sender",
        "bogus (mail )?from",
        "(from|sender) address .. (forged|spoofed|fake)",
        "mail from not owned",
        "sender (domain )?(is empty|not pre)",
        "senders? .. not (authori[sz]ed|approved)",
        "purported responsible address",
        "fully qualified (e ?mail address|sender)",
        "(e ?mail address|identity|identities) .. (not verified|failed the check)",  # SES itself
        "batv",
        "back ?scatter",
        "(dns|domain) check failed",
        "(emetteur|expediteur|remitente|remetente|absender|mittente|afzender) .. (invalide?|"
        "inconnue?|refusee?|rechazado|rejeitado|invalido|inexistente|unbekannt|abgelehnt|"
        "ungueltig|ungultig|sconosciuto|rifiutato|geweigerd|ongeldig)",
    ),
    _phrases(
        Reason.SENDER_UNAUTHENTICATED,
        "dmarc",
        "dkim",
        "spf",
        "domain ?keys",
        "sender policy framework",
        "sender ?id .. fail*",
        "fail* sender ?id",
        "arc (validation|seal|chain)",
        "unauthenticated (e ?mail|mail|message)",
        "sender is unauthenticated",
        "(authentication|authenticated) .. (checks?|results?|level|information|fail*|missing)",
        "(fail*|pass) .. authentication",
        "(message|mail) not accepted for policy reasons",  # Yahoo: cannot tell who sent it
    ),
    _phrases(
        Reason.REVERSE_DNS,
        "ptr",
        "r ?dns",
        "rev dns",
        "reverse (dns|lookup|record|resolution|mapping|address|host ?name|host|ip|pointer)",
        "no reverse",
        "fully qualified (domain|host)",
        "unresolvable (relay|host*)",
        "your host ?name .. (unknown|not|invalid)",
        "(ip|host) name lookup",
        "fc ?r ?dns",
        "forward .. (confirm*|dns|lookup)",
        "find your (reverse )?host ?name",
        "mismatch* client ip",
        "(helo|ehlo) .. (invalid|rejected|refused|requires?|required|must|not|unknown|mismatch*|"
        "error|bad|fqdn|resolve|name|argument|host ?name)",
        "(invalid|bad|bogus|forged|unknown|unresolvable) (helo|ehlo)",
        "(ip|client|host) .. (has no|without) (valid )?(dns|name|host ?name)",
    ),
    _phrases(
        Reason.TLS,
        "start ?tls",
        "tls",
        "tlsa",
        "ssl",
        "require ?tls",
        "dane",
        "dnssec",
        "mta sts",
        "certificate .. (expired|invalid|not|verif*|fail*|required|trust*|mismatch*)",
        "(invalid|expired|this|valid) certificate",
        "(encryption|encrypted|secure) .. (needed|required|mandatory)",
        "require* encryption",
        "unencrypted",
    ),
    # A blocked mailbox is the recipient's; whatever else is blocked is the sender's.
    _phrases(
        Reason.MAILBOX_CLOSED,
        "(recipients?|mail ?box|users?|this) (account |mail ?box )?(is |has been |was |currently )"
        "?(is)?blocked",
        "compte .. bloque",
    ),
    _phrases(
        Reason.RATE_LIMITED,
        "(daily|hourly|day|hour|minute) .. (limit*|quota)",
        "(relay|sending|send|submission|outbound|rate|connection|traffic|thread|session|"
        "concurrency) .. (quota|limit*)",
        "(this|per|an|a|each) (hour|day|minute|session|connection)",
        "too many(?! complaints)(?! spam) .. (connections?|sessions?|messages?|mails?|e ?mails|"
        "recipients?|rcpts?|errors?|commands?|requests?|attempts?|unknown|invalid|users?|"
        "deliveries|envelopes|threads?)",
        "at a .. rate",
        "receiving rate",
        "receiving .. too",
        "too (quickly|fast|frequent*|often)",
        "frequency .. limit*",
        "limited frequency",
        "(exceed*|reached|over|max*|limit) .. (connections?|sessions?|rate|threads?|concurren*|"
        "messages per|number of messages|number of recipients)",
        "recipient limit*",
        "throttl*",
        "slow down",
        "flood*",
        "(unusual|excessive|unexpected) (volume|traffic|amount)",
        "high volume",
        "rate ?limit*",
        "limite .. (debit|envoi|envios?)",
        "trop de (connexions?|messages?|destinataires)",
        "demasiad[oa]s (conexiones|mensajes|destinatarios)",
        "zu viele (verbindungen|nachrichten|empfanger|empfaenger)",
    ),
    _phrases(
        Reason.BLOCKLISTED,
        "(black|block|deny|reject) ?list*",
        "(?<!not )listed (in|at|by|on|with)",
        "real ?time block",
        "(host|server|client|ip|addr|connections?|you|domain|network|sender|traffic) .. blocked",
        "blocked (using|for|see|senders?|ip|address|domain)",
        "banned (sending )?(ip|host|client|address)",
        "bad ip",
        "(ip|client|network|host|(your|this|sending|mail) server) .. (rejected|refused|denied|"
        "banned|not authori[sz]ed|not allowed|not permitted|not accepted|prohibited|forbidden|"
        "disallowed)",
        "connections? .. not accepted",
        "connections? .. (refused|rejected|denied) .. (ip|mx|server|host|address)",
        "connection refused mx",
        "not (allowed|permitted|authori[sz]ed) .. (connect|send .. to our servers)",
        "no access from",
        "not? (longer )?accept* (e ?mail|mail|messages) from (your|this) (ip|server|host|network)",
        "open (relay|proxy)",
        "access .. (rejected|denied) due",
        "adresse ip .. (bloquee|blacklistee|refusee|rejetee)",
        "ete bloques",
        "(ip|server|absender|mailserver) .. (gesperrt|geblockt|blockiert)",
        "invalid ip",
        "ask your postmaster",
        "go away",
        "unwelcome",
        "listed as",
        "dynamic (ip|host|address|range)",
        "(dial ?up|residential)",
        "namespace mining",
    ),
    _phrases(
        Reason.REPUTATION,
        "reputation",
        "sender ?(base|score)",
        "permanently deferred",
        "(unusual|high) (rate|amount) of unsolicited",
        "unsolicited .. originating",
        "complaints",
        "spam (source|incident|ip|sender|activity|host)",
        "(low|poor|bad) (trust|score|karma)",
        "banned senders?",
        "bounce attacks?",
        "aup",
        "incident de spam",
        "traffic not accepted",
    ),
    _phrases(
        Reason.RELAYING,
        "relay* .. (denied|deny|not|prohibited|restricted|forbidden|refused|rejected|disabled|"
        "disallowed|access)",
        "(NOT|unable to|refuse to|wont|will not|no|insecure|unauthori[sz]ed) .. relay*",
        "(mail|smtp) relay",
        "rcpt ?hosts",
        "not (a )?gateway",
        "not (a )?local (host|domain)",
        "domain .. not (hosted|handled|served) here",
        "NOT handle mail for",
        "non local",
        "as a relay",
        "(smtp|outgoing) server of your",
    ),
    # The mailbox, as long as there is one.
    _phrases(
        Reason.MAILBOX_FULL,
        "over ?quota*",
        "quota .. (exceed*|full|violation|reached|limit|used|issue*)",
        "exceed* .. (quota|storage|local limit|mail ?box)",
        "(disk|mail|mail ?box|storage|users?) quota",
        "(mail ?box|inbox|mail ?folder|mail ?drop|mail ?dir|folder|account|user) .. (full|overfull|"
        "exceeded|over (its|the|their) (size|limit|storage|quota))",
        "full (mail ?box|inbox|account)",
        "mail ?box .. (limit|size limit|storage|space)",
        "(out of|insufficient|not enough|no|low on|exceeded|lack of) .. (storage|disk|disc|space)",
        "storage (allocation|limit|quota|space)",
        "disk .. full",
        "error writing message",
        "(user|mail ?box|account) .. (over (limit|its limit)|too many messages|exhausted)",
        "exhausted .. (storage|quota|space)",
        "boite .. (pleine|saturee)",
        "(espace|quota) .. (insuffisant|depasse|atteint)",
        "(buzon|casilla|cuota|bandeja) .. (lleno|llena|excedid[oa]|superada)",
        "(caixa|cota|casella|quota) .. (cheia|lotada|excedida|piena|superata|esaurita)",
        "(postfach|mailbox|speicher*|quota) .. (voll|uberfullt|ueberfuellt|uberschritten|"
        "ueberschritten|erschopft)",
        "(postvak|mailbox|skrzynka|schranka) .. (vol|pelna|przepelniona|plna)",
    ),
    _phrases(
        Reason.MESSAGE_TOO_LARGE,
        "(messages?|mail|e ?mail|attachments?|headers?|data|body|lines?|content|file) .. "
        "(too (large|big|long)|exceeds?|exceeded|over ?sized?)",
        "(message|mail|size|line|length|header|attachment) .. limits?",
        "(message|mail|e ?mail) (size|length)",
        "max* .. size",
        "too (large|big)",
        "over ?sized?",
        "size .. (exceed*|too|violation)",
        "mb limit",
        "message (trop (gros|volumineux)|demasiado grande|zu gross|muito grande)",
    ),
    _phrases(
        Reason.RECEIVING_SYSTEM,
        "temporar(y|ily) .. (disabled?|suspended|locked|deactivated|unavailable|inactive|rejected|"
        "refused|deferred|failure|error|problem|not)",
        "no such (file|command)",
        "in the queue too long",
        "too long in queue",
        "could not be delivered for",
        "name server reply",
        "missing home directory",
        "(can ?not|cant|unable to|could not|failed to|error) (open|opening|create|creating|append|"
        "appending|write|writing|access|accessing|read|reading) .. (file|mail ?box|folder|"
        "directory|mail ?dir|spool)",
    ),
    _phrases(
        Reason.MAILBOX_CLOSED,
        "(WHO|status) .. (disabled?|inactive|inactivated?|deactivated?|desactivated|suspended|"
        "closed|locked|frozen|expired|terminated|discontinued|deleted|removed|cancell?ed|retired|"
        "archived|dormant|restricted(?! to)|abandoned|obsolete|not active|not activated|"
        "not enabled|not in use|unactivated|decommissioned|deprovisioned)",
        "(disabled|inactive|deactivated|suspended|closed|locked|frozen|expired|terminated|deleted|"
        "dormant|unactivated|discontinued|obsolete|retired|archived) (recipient |user |mail |"
        "e ?mail )?WHO",
        "no longer (valid|active|exists?|available|in|used?|with|works?|employed|at|here|"
        "monitored|on|a|associated|part|maintained|checked|registered|our)",
        "no longer (accept*|receiv*)(?! e ?mail from)(?! mail from)(?! messages from)",
        "(has|have) (left|moved|resigned|retired)",
        "(mail ?box|address|user|recipient|account) (has )?(moved|changed)",
        "(no|without) forwarding address",
        "is now disabled",
        "out of business",
        "extended inactivity",
        "not an active",
        "(user|mail ?box|recipient|account|addr) .. not (currently )?(accepting|receiving) "
        "(any |new )?(e ?mail|mail|messages)",
        "suspend the service",
        "(compte|boite|adresse|messagerie) .. (desactivee?|fermee?|archivee?|suspendue?|inactive?|"
        "supprimee?|resiliee?|cloturee?)",
        "(cuenta|buzon|conta|caixa|usuario|utente|account) .. (deshabilitad[oa]|desactivad[oa]|"
        "inactiv[oa]|suspendid[oa]|suspens[oa]|bloquead[oa]|cerrad[oa]|cancelad[oa]|desativad[oa]|"
        "inativ[oa]|disabilitato|disattivato|sospeso|chiuso)",
        "(konto|postfach|benutzer|empfanger|empfaenger|adresse) .. (deaktiviert|geschlossen|"
        "stillgelegt|geloscht|geloescht|inaktiv|gesperrt)",
    ),
    _phrases(
        Reason.ADDRESS_UNKNOWN,
        "no such",
        "nessun utente",
        "no existe (dicha|ese|el|la|esa|tal)",
        "bad ?rcpt ?to",
        "valid ?rcpt ?to",
        "cant accept user",
        "unknown e ?mail",
        "unknown (or illegal )?(local |virtual )?WHO",
        "WHO .. (unknown|unrecogni[sz]ed|unlisted|unregistered|nonexist*|non exist*|misspelled|"
        "undeliverable|unreachable|inexistante?)",
        "WHO .. not (found|known|exist*|listed|recogni[sz]ed|valid|local|registered|here|present|"
        "available here|our|a (valid|known|local))",
        "WHO .. NOT .. (exists?|exit|found|known|recogni[sz]ed|verified|validated|located|"
        "identified|valid)",
        "WHO (is |was |seems |syntax )?(an? )?(invalid|incorrect|illegal|bad|wrong|error)",
        "(invalid|illegal|incorrect|nonexist*|non exist*|undeliverable|unrecogni[sz]ed|wrong|bad|"
        "misspelled|unregistered) (or unknown |mail |e ?mail |final |delivery |destination )?WHO",
        "find (the |this )?(recipient|user)",
        "NOT (have|find|know|locate|recogni[sz]e|like) .. (user|recipients?|mail ?box|ADDRESS|"
        "account|alias)",
        "not listed in .. (book|directory)",
        "not (a )?(valid|known|local|registered|recogni[sz]ed|existing) (recipient |local |mail |"
        "e ?mail )?(user|recipient|mail ?box|ADDRESS|account|customer)",
        "not (our|a|my) (customer|user|subscriber|client|member)",
        "no .. (mail ?box|users?|accounts?|recipients?|person|alias) .. (here|by|with|found|for|"
        "named|of|called|exists?|at|on)",
        "no ?(one|body) (here|by|at)",
        "no (valid )?recipients?",
        "no (user|mail ?box|account)",
        "mail ?box (name )?not allowed",
        "account is not addr",
        "reserved by rfc",
        "user lookup success but no user record",
        "(utilisateur|destinataire|adresse|boite|compte|client) .. (inconnue?|invalide|introuvable|"
        "inexistante?|incorrecte|erronee|n ?existe|non trouvee?|existe pas)",
        "(usuario|destinatario|buzon|direccion|cuenta|endereco|conta|caixa|utente|indirizzo|"
        "casella) .. (desconocid[oa]|inexistente|no existe|invalid[oa]|no encontrad[oa]|"
        "desconhecid[oa]|nao existe|nao encontrad[oa]|sconosciut[oa]|non esiste|non valid[oa]|"
        "non trovat[oa]|no valid[oa])",
        "(benutzer|empfanger|empfaenger|adresse|postfach|nutzer|teilnehmer|mailbox) .. (unbekannt|"
        "existiert nicht|nicht (gefunden|bekannt|vorhanden|existent|gultig|gueltig)|ungultig|"
        "ungueltig)",
        "unbekannter (benutzer|empfanger|empfaenger|nutzer)",
        "(gebruiker|ontvanger|adres|postvak) .. (onbekend|bestaat niet|niet gevonden)",
        "(odbiorca|uzytkownik|adresat|konto|skrzynka) .. (nieznany|nie istnieje)",
        "(uzivatel|prijemce|schranka) .. (neexistuje|nenalezen|neznamy)",
        "kullanici .. (bulunamadi|mevcut degil)",
        "nie ma takiego",
    ),
    _marks(
        Reason.ADDRESS_UNKNOWN,
        "(?:пользовател|адресат|получател|ящик|адрес)[^.]{0,25}"
        "(?:не (?:существует|наиден)|неизвест|отсутствует)",
        "такого (?:пользователя|ящика|адреса) нет",
        "(?:用户|用戶|收件人|邮箱|郵箱|账号|帳號|地址)[^.]{0,6}(?:不存在|未找到|无效|無效)",
        "(?:ユーザ|宛先|アドレス|メールボックス|受信者)[^.]{0,10}(?:存在し|見つかりません|不明)",
        "(?:사용자|수신자|주소|계정|메일함)[^.]{0,12}(?:존재하지|없습니다)",
    ),
    _marks(
        Reason.MAILBOX_FULL,
        "ящик[^.]{0,25}(?:переполнен|заполнен)",
        "(?:邮箱|郵箱|收件箱|信箱)[^.]{0,8}(?:满|滿)",
        "(?:メールボックス|受信箱|容量)[^.]{0,10}(?:いっぱい|超過|超え|一杯)",
        "메일함[^.]{0,10}(?:가득|초과|용량)",
    ),
    _phrases(
        Reason.DOMAIN_DEAD,
        "((?<!client )(?<!your )(?<!sending )(?<!sender )(host|domain|mail server)|exchanger|mx) "
        ".. (unknown|not found|nonexist*|non exist*|invalid|"
        "NOT .. exist|NOT resolve|NOT accept (e ?)?mail|not known|no mail|not registered|"
        "not valid|cannot be (found|resolved)|expired)",
        "unknown (mail |destination |target |remote |recipient )?(host|domain)",
        "(invalid|illegal|bad|nonexist*|non exist*|wrong|no such) (recipient |destination |mail |"
        "host )?(domain|host|system)",
        "(no|missing|null|bad) (valid )?mx",
        "unroute?able .. (address|domain|destination)",
        "domain lookup failed",
        "name service error",
        "(find|locate) .. (host|exchanger|mx|domain)",
        "dns hard error",
        "nxdomain",
        "no smtp service",
        "mx .. point* to (non ?exist*|invalid)",
        "no (mail )?(host|domain) (named|called|of)",
        "no (a|address|dns) records?",
        "(dominio|domaine|domane) .. (inexistente|inexistant|inconnu|no existe|nao existe|"
        "desconocido|desconhecido|unbekannt|non esiste|existiert nicht)",
    ),
    # The message.
    _phrases(
        Reason.CONTENT,
        "virus*",
        "malware",
        "trojan",
        "infected",
        "spam*",
        "ube",
        "uce",
        "junk*",
        "unsolicited",
        "unwanted",
        "phish*",
        "suspicious",
        "suspected",
        "(content|contents|body|subject|text) .. (rejected|reject|denied|policy|filter*|refused|"
        "blocked|not|restricted|violat*|scan*|restrictions?)",
        "(prohibited|objectionable|forbidden|unacceptable|inappropriate|illegal|bad|malicious) .. "
        "(content|attachments?|file|extension|url|links?|data|characters?)",
        "attachments?",
        "url",
        "rfc",
        "malformed",
        "mime",
        "encoded",
        "unicode",
        "charset",
        "utf",
        "non ascii",
        "quarantin*",
        "headers?",
        "from field",
        "message id",
        "bare (lf|cr|linefeed)",
        "message depth",
        "media",
        "(message|mail) format",
        "data refused",
        "contenu",
        "pourriel",
        "conversion",
        "non conform*",
        "not complian*",
        "malicious",
        "bulk",
        "filter*",
        "heuristics?",
        "message structure",
        "mass mail*",
        "(latin|language)",
        "(domain|url|link) .. listed",
    ),
    # The receiving side.
    _phrases(
        Reason.RECEIVING_SYSTEM,
        "loops?",
        "looping",
        "hops?",
        "timed out",
        "time ?out",
        "(delivery|message|mail) .. expired",
        "delivery time",
        "try* .. (later|again)",
        "essayer plus tard",
        "temporar(y|ily)",
        "server (errors?|failure|problem)",
        "(system|internal|local|mailer|config*|software|processing|database|directory|io|"
        "ldap|backend|lookup|resource|network|unexpected|disk|mta) .. (errors?|failure|failed|"
        "problem|incorrectly|malfunction)",
        "system .. (config*|full|resources?|capacity|storage|down)",
        "connection .. (refused|timed|reset|lost|dropped|closed|failed|error)",
        "(unable|failed|could not|cannot) .. (establish|connect|lookup|look up|contact|reach)",
        "no (route|answer)",
        "service .. (unavailable|not available|down|shutting)",
        "server .. (busy|overloaded|down|unavailable)",
        "host .. (unreachable|down|not responding)",
        "gr[ea]y ?list*",
        "congest*",
        "overload*",
        "resources?",
        "dns .. (query|lookup|fail*|error|server|timeout)",
        "(name ?server|servfail)",
        "maintenance",
        "insufficient memory",
        "expansion (problem|loop)",
        "journal*",
        "retry",
        "deferred",
        "command (died|failed)",
        "input output",
        "delivery attempts (failed|exceeded)",
        "numerous attempts",
    ),
    _phrases(
        Reason.POLICY,
        "polic(y|ies)",
        "politique",
        "politica",
        "richtlinie",
        "spoof*",
        "impersonat*",
        "security",
        "(not |un)authori[sz]ed",
        "authori[sz]ation .. (required|failed|denied)",
        "authenticat*",
        "authentification",
        "auth .. (failed|required|failure)",
        "smtp auth*",
        "submitter",
        "must log ?in",
        "restrict*",
        "permission",
        "prohibit*",
        "(white|allow) ?list*",
        "allowed senders?",
        "not permitted",
        "administrative(ly)?",
        "(refused|rejected|blocked|denied) .. by .. (recipients?|user|addressee|owner)",
        "blocked (by|because|due)",
        "(user|recipient|addressee) .. (refuse[sd]|declines?|declined|not want|not accept)",
        "(recipient|user|recipients|users) preferences",
        "geo ?ip",
        "country",
        "violat*",
        "transport rules?",
        "rule",
        "not accept (mail|e ?mail|messages?) from",
        "pipelin*",
        "credentials?",
        "local users? only",
        "(non ?members?|members? only|not subscribed)",
        "(only|not) accept* mail .. from",
        "is protected by",
        "third party dsns?",
        "unsigned dsn",
        "organi[sz]ational settings",
        "verification fail*",
        "challenge",
    ),
    # Said of an address that is unknown, and of one that is barred: only after all the above.
    _phrases(Reason.ADDRESS_UNKNOWN, "(recipient|rcpt) (address(es)? )?rejected access denied"),
)

_CODED: Final = (
    _codes(Reason.ADDRESS_UNKNOWN, "1.1 1.3 1.4 1.10 1.350 1.351 7.504 7.505"),
    _codes(Reason.DOMAIN_DEAD, "1.2 4.4 4.310"),
    _codes(Reason.MAILBOX_CLOSED, "1.6 2.1 7.13 7.17 7.18"),
    _codes(Reason.MAILBOX_FULL, "2.2"),
    _codes(Reason.MESSAGE_TOO_LARGE, "2.3 3.4 7.16"),
    _codes(Reason.RATE_LIMITED, "1.90 2.14 2.121 2.122 5.3 7.508 7.232 7.233"),
    _codes(
        Reason.RECEIVING_SYSTEM,
        "2.4 3.1 3.3 3.5 4.2 4.3 4.5 4.6 4.7 4.14 4.300 4.312 4.316 4.317 4.318 7.19",
    ),
    _codes(Reason.SENDER_UNAUTHENTICATED, "7.20 7.21 7.22 7.23 7.24 7.26 7.29 7.509 7.515"),
    _codes(Reason.REVERSE_DNS, "7.25 7.506"),
    _codes(Reason.BLOCKLISTED, "7.511 7.513 7.6xx"),
    _codes(Reason.REPUTATION, "7.28 7.501 7.502 7.503 7.7xx"),
    _codes(Reason.TLS, "7.10 7.11 7.30 7.321 7.322 7.323 7.324 7.325"),
    _codes(Reason.RELAYING, "7.64"),
    _codes(Reason.CONTENT, "1.20 4.11 6.* 7.350 7.512"),
    _codes(Reason.POLICY, "1.9 5.1 5.2 5.4 5.5 5.6 7.*", class_="5"),
)

_HINTED: Final = (
    _hints(
        Reason.ADDRESS_UNKNOWN,
        "(recipients?|rcpt|ADDRESS|mail ?box|account) .. (rejected|denied|refused|not allowed|"
        "unava*|not available)",
        "reject* (the )?(recipients?|rcpt)",
    ),
    _hints(
        Reason.POLICY,
        "den(y|ied)",
        "refused?",
        "reject(ed)?",
        "not (allowed|accepted|acceptable|approved)",
        "disallowed",
        "blocked?",
        "unacceptable",
        "forbidden",
    ),
)

_REPLIED: Final = (
    _replies(Reason.DOMAIN_DEAD, "521 556"),
    _replies(Reason.ADDRESS_UNKNOWN, "551"),
    _replies(Reason.MAILBOX_FULL, "552 452"),
    _replies(Reason.MESSAGE_TOO_LARGE, "523"),
    _replies(Reason.MAILBOX_CLOSED, "525"),
    _replies(Reason.POLICY, "530 535 538"),
    _codes(Reason.RECEIVING_SYSTEM, "*.*", class_="4"),
    _replies(Reason.RECEIVING_SYSTEM, r"4\d\d"),
)

RULES: Final[tuple[Rule, ...]] = (*_STATED, *_CODED, *_HINTED, *_REPLIED)
"""Every rule, the one that decides first."""

SUBTYPES: Final[dict[str, Reason]] = {
    "suppressed": Reason.SUPPRESSED_GLOBALLY,
    "onaccountsuppressionlist": Reason.SUPPRESSED_BY_ACCOUNT,
    "ontenantsuppressionlist": Reason.SUPPRESSED_BY_TENANT,
    "emailvalidationsuppressed": Reason.VALIDATION_SUPPRESSED,
    "unsubscribedrecipient": Reason.UNSUBSCRIBED_RECIPIENT,
    "noemail": Reason.ADDRESS_UNKNOWN,
    "mailboxfull": Reason.MAILBOX_FULL,
    "messagetoolarge": Reason.MESSAGE_TOO_LARGE,
    "contentrejected": Reason.CONTENT,
    "attachmentrejected": Reason.CONTENT,
    "customtimeoutexceeded": Reason.RECEIVING_SYSTEM,
}
"""What SES's subtypes say, in plain spelling. General, Undetermined and new ones say nothing."""

NOT_ATTEMPTED: Final = frozenset(
    {
        Reason.SUPPRESSED_GLOBALLY,
        Reason.SUPPRESSED_BY_ACCOUNT,
        Reason.SUPPRESSED_BY_TENANT,
        Reason.VALIDATION_SUPPRESSED,
        Reason.UNSUBSCRIBED_RECIPIENT,
    }
)
"""Reasons that SES gives for mail it did not try to deliver: no server had a say in them."""


def read(diagnostic: str | None, sub_type: str | None = None) -> Reading:
    """Find the reason for a bounce in its diagnostic code and its subtype."""
    answer = answer_in(diagnostic)
    subtype = SUBTYPES.get(plain(sub_type))
    if subtype in NOT_ATTEMPTED:
        return Reading(subtype, Confidence.HIGH, (Source.SUBTYPE,), (), answer.code, answer.reply)
    said = _said(answer, subtype)
    if not said:
        return Reading(Reason.UNKNOWN, Confidence.LOW, (), (), answer.code, answer.reply)
    first = next(iter(said))
    action = ACTIONS[said[first]]
    agreed = tuple(source for source, reason in said.items() if ACTIONS[reason] is action)
    against = tuple(source for source in said if source not in agreed)
    # Policy is what is left to say where nobody is more precise.
    reasons = [said[source] for source in agreed]
    reason = next((each for each in reasons if each is not Reason.POLICY), reasons[0])
    confidence = _confidence(agreed, against, doubtful=plain(sub_type) == "noemail")
    return Reading(reason, confidence, agreed, against, answer.code, answer.reply)


def plain(word: str | None) -> str:
    """Strip case and punctuation: ``ON_ACCOUNT...`` and ``OnAccount...`` are one."""
    return re.sub(r"[^0-9a-z]", "", (word or "").lower())


def _said(answer: Answer, subtype: Reason | None) -> dict[Source, Reason]:
    """Collect what each source says, the one that decides first; hints only where none does."""
    said: dict[Source, Reason] = {}
    for rule in (*_STATED, *_CODED):
        source = Source.WORDS if rule.source is Source.MARK else rule.source
        if source not in said and rule.fits(answer):
            said[source] = rule.reason
    if subtype:
        said[Source.SUBTYPE] = subtype
    for rule in () if said else (*_HINTED, *_REPLIED):
        if rule.fits(answer):
            return {rule.source: rule.reason}
    return said


def _confidence(
    agreed: tuple[Source, ...], against: tuple[Source, ...], *, doubtful: bool
) -> Confidence:
    """Weigh who says so; a doubtful subtype is worth nothing by itself."""
    if against or agreed[0] in {Source.HINT, Source.REPLY}:
        return Confidence.LOW
    if len(agreed) > 1:
        return Confidence.HIGH
    return Confidence.LOW if doubtful and agreed[0] is Source.SUBTYPE else Confidence.MEDIUM
