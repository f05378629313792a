// Keys: those that Business Central's users know, and ours for coupling and synchronising.
const PAGES = { e: "/problems", j: "/jobs" };

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
        action.focus();
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
