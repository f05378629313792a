// Dialogs: what is put into #dialog opens it; closing gives the focus back to what opened it.
export function openDialogs() {
  const dialog = document.getElementById("dialog");
  let opener = null;

  document.addEventListener("click", (event) => {
    const opens = event.target.closest("[data-opens]");
    if (opens) {
      opener = opens;
      document.getElementById(opens.dataset.opens)?.showModal();
    }
    if (event.target.closest("[data-closes]")) event.target.closest("dialog")?.close();
  });

  document.body.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.target === dialog && !dialog.open) opener = document.activeElement;
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
      const again = opener?.isConnected ? opener : opener?.id ? document.getElementById(opener.id) : null;
      (again ?? document.getElementById("content"))?.focus();
      opener = null;
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
