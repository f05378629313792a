// Keys: those that Business Central's users know, and ours for coupling and synchronising.
import { stopsOf } from "./focus.js";

const PARTS = ".commands, [role='search'], .chips, .grid-wrap, table, section, fieldset, aside, .pager, .dialog-foot, .setup-foot";
const PAGES = { e: "/problems", j: "/jobs" };

// The first stop of the part after the one where the focus is, or before it.
function goToPart(scope, back) {
  const starts = new Set([...scope.querySelectorAll(PARTS)].map((each) => stopsOf(each).find((stop) => stop.tabIndex >= 0)));
  const way = back ? Node.DOCUMENT_POSITION_PRECEDING : Node.DOCUMENT_POSITION_FOLLOWING;
  const there = [...starts].filter((each) => each && document.activeElement.compareDocumentPosition(each) & way);
  (back ? there.at(-1) : there[0])?.focus();
}

export function bindKeys() {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    const inDialog = document.querySelector("dialog[open]");
    if (event.key === "F3" && !event.shiftKey) {
      const search = (inDialog ?? document).querySelector("input[data-search]");
      if (search) {
        event.preventDefault();
        search.focus();
        search.select();
      }
      return;
    }
    if (event.key === "F6") {
      event.preventDefault();
      goToPart(inDialog ?? document.getElementById("content"), event.shiftKey);
      return;
    }
    if ((event.ctrlKey && event.key === "k") || (event.altKey && event.key.toLowerCase() === "q")) {
      event.preventDefault();
      if (!inDialog) document.querySelector("[data-opens='palette']")?.click();
      return;
    }
    if (event.altKey && event.key === "F2") {
      event.preventDefault();
      document.querySelectorAll(".factboxes").forEach((box) => { box.hidden = !box.hidden; });
      document.querySelectorAll(".list-layout, .card-layout").forEach((each) => each.classList.toggle("alone"));
      return;
    }
    if (inDialog) return;
    if (event.altKey && !event.ctrlKey && event.key.length === 1) {
      const key = event.key.toLowerCase();
      const action = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
      if (action) {
        event.preventDefault();
        action.click();
      } else if (PAGES[key]) {
        event.preventDefault();
        location.href = PAGES[key];
      }
      return;
    }
    if (event.key === "?" && !typing) document.querySelector("[data-opens='keys']")?.click();
  });
}
