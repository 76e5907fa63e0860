// Copies, and refreshes what moves. Everything else works without it.
"use strict";

const FOLLOWED = new Set();

function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  if (!source) return;
  const text = "value" in source ? source.value : source.textContent;
  navigator.clipboard.writeText(text).then(
    () => say(button, "Copied"),
    () => {
      // Without the permission the text is shown, to be copied by hand.
      const fold = source.closest("details");
      if (fold) fold.open = true;
      if (source.select) source.select();
      say(button, "Copy it from below");
    },
  );
}

function say(button, word) {
  const before = button.dataset.word || button.textContent;
  button.dataset.word = before;
  button.textContent = word;
  setTimeout(() => { button.textContent = before; }, 2000);
}

function dress() {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    if (FOLLOWED.has(button)) continue;
    FOLLOWED.add(button);
    button.addEventListener("click", () => copy(button));
  }
}

let paused = false;
let timer = 0;

function later() {
  clearTimeout(timer);
  const seconds = Number(document.body.dataset.refresh || 0);
  if (seconds && !paused) timer = setTimeout(refresh, seconds * 1000);
}

async function refresh() {
  const isBusy = document.hidden || document.querySelector("main :focus, main details[open]");
  if (!isBusy) {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
      if (answer.ok || answer.status === 404) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        document.querySelector("main").replaceWith(page.querySelector("main"));
        document.querySelector("footer time").replaceWith(page.querySelector("footer time"));
        document.title = page.title;
        document.body.dataset.refresh = page.body.dataset.refresh || 0;
        dress();
      }
    } catch {
      // The command was stopped, or AWS cannot be reached: what is shown stays, and is tried again.
    }
  }
  later();
}

function toggle(button) {
  paused = !paused;
  button.textContent = paused ? "Refresh by itself" : "Pause refresh";
  later();
}

document.addEventListener("DOMContentLoaded", () => {
  dress();
  later();
  for (const button of document.querySelectorAll("[data-pause]")) {
    button.hidden = false;
    button.addEventListener("click", () => toggle(button));
  }
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      document.getElementById("q").select();
    }
  });
});
