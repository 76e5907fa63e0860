"""`insights web` in a real browser, on the deployed stack, with the policies of docs/web.md."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from local.ses_stand_in.stories import STORIES, address_of
from local.stack.observe import message_row, messages_in
from local.stack.run import PROJECT, LocalRun
from tests.support.dead_letters import two_parked
from tests.support.deployed_stack import deployed_stack
from tests.support.patience import SECONDS, eventually

LABEL: Final = "web"
STORY_NAMES: Final = ("bounce-noemail", "complaint-abuse", "delivered", "hostile-subject")

UNKNOWN: Final = "0106019fa36a2608-77777777-0000-0000-0000-000000000000-000000"
"""An id that SES never gave out: a look at it is stored, and parks nothing."""

IN_BATCHES: Final = ("sqs:SendMessageBatch", "sqs:ChangeMessageVisibilityBatch")
"""Actions that the emulator asks for and AWS does not have: local/stack/emulator_quirks.py."""

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS: Final = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--host-resolver-rules=MAP evil.example 127.0.0.1",
)

pytestmark = pytest.mark.skipif(
    CHROMIUM is None,
    reason="Chromium is not installed; on Debian: apt-get install chromium",
)


@dataclass(slots=True)
class Served:
    """A run of the command."""

    address: str
    """That opens the page once."""
    process: subprocess.Popen[str]

    @property
    def root(self) -> str:
        """Where its pages are."""
        return self.address.partition("/enter/")[0]

    @property
    def port(self) -> int:
        """Its port."""
        return int(self.root.rpartition(":")[2])


Serve = Callable[..., Any]


@pytest.fixture(scope="module")
def serve(run: LocalRun) -> Serve:
    """Start the command as a user who has the first policies of the page, and nothing else."""
    text = (PROJECT / "docs" / "web.md").read_text()
    policies = re.findall(r"^```json\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    iam = run.session.client("iam")

    @contextmanager
    def start(*options: str, policies_of_page: int) -> Iterator[Served]:
        name = f"reads-the-page-{policies_of_page}"
        iam.create_user(UserName=name)
        for number, policy in enumerate(policies[:policies_of_page]):
            document = json.loads(policy)
            if number:
                allow = {"Effect": "Allow", "Action": IN_BATCHES, "Resource": "*"}
                document["Statement"].append(allow)
            iam.put_user_policy(
                UserName=name, PolicyName=str(number), PolicyDocument=json.dumps(document)
            )
        key = iam.create_access_key(UserName=name)["AccessKey"]
        environment = run.sandbox.environment(os.environ) | {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }
        tool = Path(sys.executable).with_name("insights")
        with subprocess.Popen(
            [tool, "web", "--no-browser", "--json", "--port", "0", *options],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            yield Served(json.loads(line)["address"], process)
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=SECONDS)
        assert (process.returncode, said) == (0, "")

    return start


@pytest.fixture(scope="module")
def served(serve: Serve) -> Iterator[Served]:
    """The page for somebody who may look again and redrive."""
    with serve(policies_of_page=2) as served:
        yield served


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser; it ends with the module, so that no loop of its is left running."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def entered(chromium: Browser, served: Served) -> Iterator[BrowserContext]:
    """A browser that was let in, of somebody at a desk."""
    context = chromium.new_context(viewport={"width": 1280, "height": 850})
    context.set_default_timeout(SECONDS * 1000)
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=served.root)
    page = context.new_page()
    page.goto(served.address)
    expect(page).to_have_title("Overview · SES Insights")
    page.close()
    yield context
    context.close()


@pytest.fixture
def page(entered: BrowserContext) -> Iterator[Page]:
    """A tab. Nothing may fail in it: no script, no policy, no request."""
    tab, wrong = entered.new_page(), list[str]()
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    tab.on("dialog", lambda dialog: wrong.append(dialog.message))
    yield tab
    tab.close()
    assert wrong == []


@pytest.fixture(scope="module")
def ids(run: LocalRun) -> dict[str, str]:
    """Messages by story, looked at."""
    with deployed_stack(run) as stack:
        found = {name: stack.send_and_enqueue(name, label=LABEL) for name in STORY_NAMES}
        eventually(stack.is_done)
    return found


@pytest.fixture
def parked(run: LocalRun) -> Iterator[None]:
    """Two messages in the dead-letter queue, for two reasons, and none after the test."""
    with two_parked(run, UNKNOWN):
        yield


def address(story: str) -> str:
    """The recipient of the mail of a story."""
    return address_of(STORIES[story], LABEL)


def test_a_support_person_finds_a_mail_and_looks_again(
    page: Page, served: Served, ids: dict[str, str], run: LocalRun
) -> None:
    """From the box by address to the timeline; the new look shows without a reload."""
    page.goto(served.root)
    page.keyboard.press("/")
    page.keyboard.type(address("bounce-noemail"))
    page.keyboard.press("Enter")
    page.get_by_role("link", name=address("bounce-noemail")).first.click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Your order: bounce-noemail")
    timeline = page.get_by_role("listitem").filter(has_text="550 5.1.1")
    expect(timeline).to_contain_text("The recipient's server does not know this address.")

    before = message_row(run, ids["bounce-noemail"])
    assert before is not None
    page.get_by_role("button", name="Look again").click()
    expect(page.get_by_role("status")).to_have_text("The look that was asked for is taken.")
    after = message_row(run, ids["bounce-noemail"])
    assert after is not None
    assert after["Looks"] > before["Looks"]


def test_a_message_is_copied_for_a_ticket(page: Page, served: Served, ids: dict[str, str]) -> None:
    """As text, to paste anywhere."""
    page.goto(f"{served.root}/message/{ids['complaint-abuse']}")
    page.get_by_role("button", name="Copy for a ticket").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert ids["complaint-abuse"] in copied
    assert "COMPLAINT" in copied


def test_parked_messages_are_redriven_and_dropped(
    page: Page, served: Served, run: LocalRun, parked: None
) -> None:
    """By reason; dropping asks first, and no keeps them."""
    del parked
    page.goto(f"{served.root}/parked")
    page.get_by_role("link", name="Unexpected").click()
    page.get_by_role("button", name="Redrive").click()
    expect(page.get_by_role("status")).to_have_text("Sent back to the queue: 1 message.")
    eventually(lambda: message_row(run, UNKNOWN) is not None)
    page.get_by_role("link", name="Drop all").click()
    page.get_by_role("link", name="Keep them").click()
    page.get_by_role("link", name="Drop all").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.get_by_role("status")).to_have_text("Deleted: 1 message.")
    assert messages_in(run, run.dead_letter_queue_url) == 0


def test_it_works_without_javascript(
    chromium: Browser, entered: BrowserContext, served: Served, ids: dict[str, str]
) -> None:
    """Search, timeline and charts; what only a script can do is not offered."""
    with chromium.new_context(
        java_script_enabled=False, storage_state=entered.storage_state()
    ) as context:
        page = context.new_page()
        page.goto(served.root)
        expect(
            page.get_by_role("img", name="Alerts by reason over the last 14 days")
        ).to_be_visible()
        page.get_by_role("searchbox").fill(ids["delivered"])
        page.get_by_role("button", name="Search").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Your order: delivered")
        expect(page.get_by_role("button", name="Look again")).to_be_visible()
        expect(page.get_by_role("button", name="Copy for a ticket")).to_be_hidden()


def test_hostile_text_is_text_in_a_browser(page: Page, served: Served, ids: dict[str, str]) -> None:
    """The subject is shown, in one line; nothing runs, and no signs turn the line around."""
    page.goto(f"{served.root}/message/{ids['hostile-subject']}")
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_contain_text("Hello Bcc: all@victim.example gnp.exe")
    expect(page.locator("main script, main style, main iframe")).to_have_count(0)


def test_the_pages_fit_a_phone_and_the_dark(
    page: Page, served: Served, ids: dict[str, str]
) -> None:
    """Nothing is wider than 390 pixels, and the ground follows the browser's wish."""
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    paths = ("/", "/search?status=DELIVERED", "/alerts", "/parked", f"/message/{ids['delivered']}")
    page.set_viewport_size({"width": 390, "height": 800})
    for path in paths:
        page.goto(f"{served.root}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        page.emulate_media(color_scheme="light")
        light = page.evaluate(ground)
        page.emulate_media(color_scheme="dark")
        assert (light, page.evaluate(ground)) == ("rgb(244, 246, 249)", "rgb(14, 19, 26)"), path


def test_keyboard_and_screen_reader_find_their_way(page: Page, served: Served) -> None:
    """The first Tab skips to the content; each part has its role, the page one heading."""
    page.goto(served.root)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    for role in ("banner", "search", "main", "contentinfo"):
        expect(page.get_by_role(role)).to_have_count(1)
    expect(page.get_by_role("navigation", name="Pages")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_count(1)
    assert page.evaluate("document.documentElement.lang") == "en"
    for field in page.locator("input:not([type=hidden]), select, textarea").all():
        assert field.evaluate("field => field.labels.length"), "a field without a label"


def test_a_foreign_name_gets_nothing(chromium: Browser, served: Served) -> None:
    """A host that is made to point at loopback is refused, and so is a browser without cookie."""
    page = chromium.new_page()
    answers = [page.goto(f"http://{host}:{served.port}/") for host in ("evil.example", "127.0.0.1")]
    assert [answer.status for answer in answers if answer] == [421, 401]
    assert page.goto(served.address) is not None
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "This page is not open for this browser"
    )
    page.close()


def test_it_listens_on_loopback_only(served: Served) -> None:
    """As the kernel lists it."""
    tables = [Path(f"/proc/net/{name}") for name in ("tcp", "tcp6")]
    listening = [
        fields[1]
        for table in tables
        if table.exists()
        for fields in map(str.split, table.read_text().splitlines()[1:])
        if fields[3] == "0A" and fields[1].endswith(f":{served.port:04X}")
    ]
    assert listening == [f"0100007F:{served.port:04X}"]


def test_read_only_works_with_the_first_policy(
    chromium: Browser, serve: Serve, ids: dict[str, str], parked: None
) -> None:
    """No button that writes; what may not be seen is counted, and the page says what is missing."""
    del parked
    with serve("--read-only", policies_of_page=1) as served:
        page = chromium.new_page()
        page.goto(served.address)
        expect(page.get_by_role("contentinfo")).to_contain_text("read only")
        expect(page.get_by_text("VDM", exact=True).locator("..").locator("..")).to_contain_text(
            "on"
        )
        page.goto(f"{served.root}/search?q={address('delivered').replace('+', '%2B')}")
        expect(page.get_by_role("cell", name="Your order: delivered")).to_be_visible()
        page.goto(f"{served.root}/message/{ids['delivered']}")
        expect(page.get_by_role("heading", name=address("delivered"))).to_be_visible()
        expect(page.get_by_role("button", name="Look again")).to_have_count(0)
        page.goto(f"{served.root}/parked")
        expect(page.get_by_role("heading", name="2 messages parked")).to_be_visible()
        page.close()
