"""`python -m tools.page`: draw docs/web.webp, what `insights web` shows of the demo's mail.

It runs the demo's scenario on the local stack, and repeats its rows over the thirteen days before,
so that the charts have something to show. Then a browser takes the pictures. It needs Chromium.
"""

from __future__ import annotations

import base64
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, sync_playwright

from local.actors.operator import FollowUps
from local.scenario import FIRST_LOOK_DELAY, LOOK_AGAIN, TURN, play
from local.stack.child import LocalRunError
from local.stack.observe import messages_in, scan
from local.stack.run import PROJECT, LocalRun, local_stack
from ses_insights.contracts.names import Partition
from ses_insights.contracts.rows import MESSAGE, Row
from ses_insights.domain.times import instant, iso

PICTURE: Final = PROJECT / "docs" / "web.webp"

DAYS: Final = 13
MAILS_A_DAY: Final = (14, 26)
WEIGHTS: Final = {"DELIVERED": 30, "OPENED": 60, "CLICKED": 40, "COMPLAINT": 1}
"""How often a mail of the demo comes again, by its status; others count 2."""

SECONDS: Final = 300.0

FLAGS: Final = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)

COMPOSE: Final = """async ([back, front]) => {
    const load = (data) => new Promise((done) => {
        const image = new Image();
        image.onload = () => done(image);
        image.src = "data:image/png;base64," + data;
    });
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [1640, 1120];
    const context = canvas.getContext("2d");
    const draw = (image, x, y, width) => {
        const height = image.height * width / image.width;
        context.save();
        context.shadowColor = "rgba(10, 20, 35, 0.35)";
        context.shadowBlur = 36;
        context.shadowOffsetY = 10;
        context.fillStyle = "#fff";
        context.beginPath();
        context.roundRect(x, y, width, height, 14);
        context.fill();
        context.restore();
        context.save();
        context.beginPath();
        context.roundRect(x, y, width, height, 14);
        context.clip();
        context.imageSmoothingQuality = "high";
        context.drawImage(image, x, y, width, height);
        context.restore();
    };
    draw(await load(back), 36, 30, 1090);
    draw(await load(front), 590, 395, 1010);
    return canvas.toDataURL("image/webp", 0.82).split(",")[1];
}"""


def main() -> int:
    """Draw the picture; returns the exit status."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        print("Chromium is not installed; on Debian: apt-get install chromium", file=sys.stderr)
        return 1
    context = {
        "firstLookDelaySeconds": str(FIRST_LOOK_DELAY),
        "followUpLadder": json.dumps([LOOK_AGAIN, 7_200, 86_400]),
    }
    try:
        with local_stack(context, progress=lambda step: print(f"{step} …", flush=True)) as run:
            print("Running the demo's mail through it …", flush=True)
            _play(run)
            _repeat(run)
            with _served(run) as address, sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS])
                PICTURE.write_bytes(_picture(browser, address))
                browser.close()
    except LocalRunError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{PICTURE.relative_to(PROJECT)} is drawn.")
    return 0


def _play(run: LocalRun) -> None:
    """Send the demo's mail, and wait until each id was looked at, the late ones twice."""
    scenario = play(run)
    late = {scenario.ids[name] for name in TURN}
    followups = FollowUps(run)
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        looks = {row["MessageId"]: row["Looks"] for row in scan(run) if row["Record"] == MESSAGE}
        for each in [each for each in late if looks.get(each)]:
            run.ses.finish(each)
        is_over = all(looks.get(each, 0) > 1 for each in late)
        is_over = is_over and len(looks) >= len(scenario.expected)
        if is_over and messages_in(run, run.queue_url) == 0:
            return
        followups.start()
        time.sleep(1)
    raise LocalRunError("The demo's mail was not looked at in time.")


def _repeat(run: LocalRun) -> None:
    """Put the rows of the demo's mail again, as if it had been sent on each of the days before."""
    chance = random.Random(14)  # noqa: S311 - the same picture every time
    mails: dict[str, list[Row]] = {}
    for row in scan(run):
        if row["MessageId"] not in set(Partition):
            mails.setdefault(str(row["MessageId"]), []).append(dict(row))
    # One of thousands of opens and one of a hostile subject say nothing in a picture.
    usual = [rows for rows in mails.values() if len(rows) < 4 and _status(rows) != "NOT_FOUND"]  # noqa: PLR2004
    weights = [WEIGHTS.get(_status(rows), 2) for rows in usual]
    with run.session.resource("dynamodb").Table(run.table_name).batch_writer() as table:
        for ago in range(1, DAYS + 1):
            for number in range(chance.randint(*MAILS_A_DAY)):
                (rows,) = chance.choices(usual, weights)
                for row in rows:
                    table.put_item(Item=_moved(row, ago, number))


def _status(rows: Sequence[Mapping[str, Any]]) -> str:
    return str(next(row["Status"] for row in rows if row["Record"] == MESSAGE))


def _moved(value: Any, ago: int, number: int) -> Any:
    """Move every time in a row back, and give the row an id of its own."""
    if isinstance(value, dict):
        moved = {name: _moved(each, ago, number) for name, each in value.items()}
        if "MessageId" in moved and "Record" in moved:
            moved["MessageId"] = f"{value['MessageId'][:-6]}{ago:03}{number:03}"
            if moved.pop("NextLookAt", None) and moved.pop("DueLane"):
                moved["Final"] = "The last rung of the ladder is behind it."
        return moved
    if isinstance(value, list):
        return [_moved(each, ago, number) for each in value]
    if isinstance(value, str) and value.endswith("Z") and value[:2] == "20":
        return iso(instant(value) - timedelta(days=ago, minutes=7 * number))
    return value


@contextmanager
def _served(run: LocalRun) -> Iterator[str]:
    """Run `insights web`, and give its first address."""
    tool = Path(sys.executable).with_name("insights")
    with subprocess.Popen(
        [tool, "web", "--no-browser", "--json", "--port", "0"],
        env=run.sandbox.environment(os.environ),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        yield str(json.loads(process.stdout.readline())["address"])
        process.terminate()


def _picture(browser: Browser, address: str) -> bytes:
    """Put two pages into one picture: the overview, and a bounce in the dark."""
    context = browser.new_context(viewport={"width": 1280, "height": 1010}, device_scale_factor=1.5)
    page = context.new_page()
    page.goto(address)
    overview = page.screenshot()
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 1280, "height": 880})
    page.goto(f"{address.partition('/enter/')[0]}/search?q=delivered-then-bounced@stories.example")
    page.locator("tbody .who a").first.click()
    page.get_by_role("heading", level=1).wait_for()
    message = page.screenshot()
    pictures = [base64.b64encode(each).decode() for each in (overview, message)]
    empty = browser.new_page()
    return base64.b64decode(str(empty.evaluate(COMPOSE, pictures)))


if __name__ == "__main__":
    sys.exit(main())
