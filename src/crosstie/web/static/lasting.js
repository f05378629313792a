// A dialog outlasts what goes wrong while it is open: the trouble is told in it, and what was typed is still there.
export function outlast(say) {
  const dialog = document.getElementById("dialog");
  let stale = false;

  const within = (element) => dialog.open && dialog.contains(element);
  const notices = document.getElementById("notices");

  function tell(box) {
    dialog.querySelector("[data-trouble]")?.remove();
    box.dataset.trouble = "";
    box.tabIndex = -1;
    (dialog.querySelector(".dialog-body") ?? dialog.firstElementChild).prepend(box);
    box.scrollIntoView({ block: "nearest" });
  }

  function warn(words, element) {
    if (!within(element)) {
      say(words, "bad");
      return;
    }
    const box = document.createElement("div");
    box.className = "error-box";
    box.setAttribute("role", "alert");
    box.textContent = words;
    tell(box);
  }

  // Without a session the answer leads to the sign-in; what was typed in a dialog, or a form, waits for it instead.
  document.body.addEventListener("htmx:beforeOnLoad", (event) => {
    const { xhr, elt, requestConfig } = event.detail;
    if (xhr.status !== 401 || !(within(elt) || requestConfig.verb !== "get")) return;
    event.preventDefault();
    stale = true;
    warn("You are no longer signed in. Sign in in another tab, then do it here again: ", elt);
    const way = document.createElement("a");
    way.href = "/sign-in";
    way.target = "_blank";
    way.textContent = "Sign in";
    (within(elt) ? dialog.querySelector("[data-trouble]") : notices.querySelector("[data-said] span")).append(way);
  });

  // What no dialog of its own tells comes as an error in place of the dialog: it goes to the top of what is open.
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr, requestConfig } = event.detail;
    if (xhr.getResponseHeader("HX-Retarget") !== "#dialog" || !within(requestConfig.elt)) return;
    const box = new DOMParser().parseFromString(xhr.responseText, "text/html").querySelector(".error-box");
    if (!box) return;
    event.detail.shouldSwap = false;
    stale = xhr.status === 403;
    tell(box);
    if (requestConfig.verb !== "get") box.focus();
  });

  document.body.addEventListener("htmx:afterRequest", (event) => {
    const { xhr, elt } = event.detail;
    if (xhr.status >= 200 && xhr.status < 400 && within(elt)) dialog.querySelector("[data-trouble]")?.remove();
  });

  document.body.addEventListener("htmx:sendError", (event) => warn("The server does not answer. Try again when it is back: what was done already is not done twice.", event.detail.elt));
  document.body.addEventListener("htmx:timeout", (event) => warn("The server takes too long to answer. Look at the jobs before you do it again.", event.detail.elt));

  // Forms of a session that has ended go on with the one that came after it.
  async function renew() {
    stale = false;
    const found = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html").body.getAttribute("hx-headers");
    if (!found) return;
    document.body.setAttribute("hx-headers", found);
    for (const each of document.querySelectorAll("input[name='csrf']")) each.value = JSON.parse(found)["X-CSRF-Token"];
  }

  document.body.addEventListener("htmx:confirm", (event) => {
    if (!stale || event.detail.verb === "get") return;
    event.preventDefault();
    renew().catch(() => {}).then(() => event.detail.issueRequest());
  });
}
