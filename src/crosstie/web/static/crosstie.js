// What pages do in the browser beside htmx: dialogs, keys, the palette, messages, times in the reader's own zone.
import { bindBars } from "./bars.js";
import { bindChoosing } from "./choosing.js";
import { openDialogs } from "./dialogs.js";
import { keepFocus } from "./focus.js";
import { bindKeys } from "./keys.js";
import { outlast } from "./lasting.js";
import { bindPalette } from "./palette.js";
import { bindPicking } from "./picking.js";
import { bindSelection } from "./selection.js";

export function say(words, tone = "") {
  const box = document.getElementById("notices");
  const notice = document.createElement("p");
  notice.className = `notice ${tone}`;
  const text = document.createElement("span");
  text.textContent = words;
  const close = document.createElement("button");
  close.className = "plain";
  close.type = "button";
  close.textContent = "✕";
  close.setAttribute("aria-label", "Dismiss");
  close.addEventListener("click", () => notice.remove());
  notice.append(text, close);
  box.querySelectorAll(".notice[data-said]").forEach((old) => old.remove());
  notice.dataset.said = "";
  box.append(notice);
}

function localTimes(root) {
  const form = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const each of root.querySelectorAll("time[datetime]:not([data-local])")) {
    each.dataset.local = "";
    each.title = each.textContent;
    each.textContent = form.format(new Date(each.dateTime));
  }
}

function bindTheme() {
  document.querySelector("[data-theme-switch]")?.addEventListener("click", () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("crosstie.theme", root.dataset.theme); } catch { /* it holds for this page */ }
  });
}

// An action that cannot be used now says why, to the ear as well as to the eye.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[aria-disabled='true'][data-reason]");
  if (button) {
    event.preventDefault();
    event.stopImmediatePropagation();
    say(`${button.textContent.trim()}: ${button.dataset.reason}`);
  }
}, true);

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent !== undefined && !form.hasAttribute("hx-post")) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "";
});
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));

document.body.addEventListener("htmx:afterSwap", (event) => localTimes(event.target));

localTimes(document);
bindTheme();
keepFocus();
openDialogs();
bindBars();
bindChoosing();
bindKeys();
bindPalette();
bindPicking();
bindSelection(say);
outlast(say);
