// Dialogs: what is put into #dialog opens it; closing gives the focus back to where it was.
import { comeBack, placeOf } from "./focus.js";

export function openDialogs() {
  const dialog = document.getElementById("dialog");
  const places = new Map();

  // A key opens it from wherever the focus is; after a click in Safari that is nowhere, after the palette what is hidden.
  function remember(each, opener) {
    const here = document.activeElement;
    places.set(each, placeOf(here === document.body || !here.checkVisibility() ? opener : here));
  }

  document.addEventListener("click", (event) => {
    const opens = event.target.closest("[data-opens]");
    if (opens) {
      const opened = document.getElementById(opens.dataset.opens);
      remember(opened, opens);
      opened.showModal();
    }
    if (event.target.closest("[data-closes]")) event.target.closest("dialog")?.close();
  });

  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target === dialog && !dialog.open) remember(dialog, event.detail.elt);
  });

  document.body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== dialog && !dialog.contains(event.detail.target)) return;
    if (!dialog.firstElementChild) {
      dialog.close();
      return;
    }
    if (!dialog.open) dialog.showModal();
    const first = dialog.querySelector("[autofocus]") ?? dialog.querySelector("[role='alert']");
    if (first && event.detail.target === dialog) {
      if (first.getAttribute("role") === "alert") first.tabIndex = -1;
      first.focus();
    }
  });

  for (const each of document.querySelectorAll("dialog")) {
    each.addEventListener("close", () => {
      if (each === dialog) each.replaceChildren();
      if (!comeBack(places.get(each))) document.getElementById("content")?.focus();
    });
  }

  // Ctrl+Enter is OK, wherever the focus is in the dialog.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.ctrlKey) return;
    const scope = document.querySelector("dialog[open]") ?? document;
    const ok = scope.querySelector("[data-ok]");
    if (ok) {
      event.preventDefault();
      ok.click();
    }
  });
}
