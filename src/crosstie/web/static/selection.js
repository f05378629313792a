// The rows that are selected in a list: they survive searching, sorting and paging, until the tab is closed.
// A selection is either ids, each with whether it is coupled, or all that matched a query, without some.
const NOTHING = { ids: {}, all: null, out: [] };
// So many rows are passed over at once.
const LEAP = 15;
const MOST = 50000;
const TOO_MANY = `At most ${MOST.toLocaleString("en")} rows are selected one by one: select all that match instead.`;

export function bindSelection(say) {
  if (!document.getElementById("list")) return;
  let key = "";
  let chosen = NOTHING;
  let current = null;
  // Where a range begins, and the rows that were not selected before it was drawn as far as it goes now.
  let anchor = null;
  let stretch = [];
  let pressing = false;

  const list = () => document.getElementById("list");
  const rows = () => [...list().querySelectorAll("tr[data-id]")];
  const row = (id) => list().querySelector(`tr[data-id="${CSS.escape(id)}"]`);
  const isCoupled = (each) => each.dataset.state !== "not_coupled";

  function load() {
    key = `crosstie.selection:${list().dataset.list}`;
    try { chosen = { ...NOTHING, ...JSON.parse(sessionStorage.getItem(key) ?? "{}") }; } catch { chosen = NOTHING; }
  }

  function keep() {
    try { sessionStorage.setItem(key, JSON.stringify(chosen)); } catch { say("The selection is too large to be kept: select all that match instead.", "bad"); }
  }

  function isOfQuery() {
    return chosen.all && chosen.all.search === list().dataset.searchText && chosen.all.states === list().dataset.states;
  }

  function isChosen(each) {
    if (chosen.all) return isOfQuery() && !chosen.out.includes(each.dataset.id);
    return each.dataset.id in chosen.ids;
  }

  function count() {
    if (!chosen.all) return Object.keys(chosen.ids).length;
    return chosen.all.total === null ? null : chosen.all.total - chosen.out.length;
  }

  // So many rows are named one by one, as those that are selected or as those that are left out.
  function named() {
    return chosen.all ? chosen.out.length : Object.keys(chosen.ids).length;
  }

  function choose(which, on) {
    if (chosen.all && !isOfQuery()) {
      say("All that match another search are selected. Clear the selection first.");
      paint();
      return;
    }
    for (const each of which) {
      const id = each.dataset.id;
      if (chosen.all) chosen = { ...chosen, out: on ? chosen.out.filter((other) => other !== id) : [...new Set([...chosen.out, id])] };
      else if (on) chosen.ids[id] = isCoupled(each) ? 1 : 0;
      else delete chosen.ids[id];
    }
    if (named() > MOST) say(TOO_MANY, "bad");
    keep();
    paint();
  }

  function none() {
    chosen = { ids: {}, all: null, out: [] };
    keep();
    paint();
  }

  function all() {
    const data = list().dataset;
    chosen = { ids: {}, all: { search: data.searchText, states: data.states, total: data.total === "" ? null : Number(data.total) }, out: [] };
    keep();
    paint();
  }

  function words() {
    const number = count();
    if (!chosen.all) return `${number.toLocaleString("en")} selected`;
    const what = chosen.all.search ? `All that match “${chosen.all.search}” are selected` : "All that match are selected";
    return (number === null ? what : `${what}: ${number.toLocaleString("en")}`) + (chosen.out.length && number === null ? `, without ${chosen.out.length}` : "");
  }

  function paint() {
    const shown = rows();
    for (const each of shown) {
      const on = Boolean(isChosen(each));
      each.setAttribute("aria-selected", String(on));
      each.querySelector("[data-select-row]").checked = on;
      if (on && !chosen.all) chosen.ids[each.dataset.id] = isCoupled(each) ? 1 : 0;
      each.toggleAttribute("data-current", each.dataset.id === current);
    }
    const first = shown.find((each) => each.dataset.id === current) ?? shown[0];
    for (const each of shown) each.tabIndex = each === first ? 0 : -1;
    const whole = list().querySelector("[data-select-page]");
    const picked = shown.filter((each) => isChosen(each)).length;
    if (whole) {
      whole.checked = picked > 0 && picked === shown.length;
      whole.indeterminate = picked > 0 && picked < shown.length;
    }
    const said = list().querySelector("[data-selection-count]");
    if (said.textContent !== words()) said.textContent = words();
    const total = list().dataset.total;
    const more = list().querySelector("[data-select-all]");
    more.hidden = picked === 0 || picked < shown.length || Boolean(isOfQuery()) || total === String(shown.length);
    more.textContent = total ? `Select all ${Number(total).toLocaleString("en")} that match` : "Select all that match";
    list().querySelector("[data-select-none]").hidden = count() === 0;
    list().querySelector("[data-takes-row]").hidden = count() !== 0 || !shown.some((each) => each.dataset.id === current);
    list().querySelector("[data-selection-bar]").toggleAttribute("data-any", count() !== 0);
    allow();
  }

  // What the actions take: the rows that are selected, else the current one, as everywhere in Business Central.
  function taken(here) {
    if (chosen.all || count() > 0 || !here) return chosen.ids;
    return { [here.dataset.id]: isCoupled(here) ? 1 : 0 };
  }

  function reason(needs) {
    const here = current ? row(current) : null;
    const ids = taken(here);
    const alone = count() === 0;
    if (needs === "row" || needs === "partner") {
      if (!here) return "Choose a row first: click it, or go to it with the arrow keys.";
      if (needs === "partner" && !isCoupled(here)) return "The record is not coupled.";
      return needs === "partner" && !here.dataset.partner ? "The system cannot be reached." : "";
    }
    if (alone && !here) return "Nothing is selected.";
    if (named() > MOST) return TOO_MANY;
    if (needs === "any") return "";
    const states = chosen.all ? chosen.all.states.split(" ").filter(Boolean) : null;
    const coupled = states ? states.some((state) => state !== "not_coupled") || !states.length : Object.values(ids).includes(1);
    const free = states ? states.includes("not_coupled") || !states.length : Object.values(ids).includes(0);
    if (needs === "coupled" && !coupled) return alone ? "The record is not coupled." : "None of the selected records is coupled.";
    if (needs === "uncoupled" && !free) return alone ? "The record is coupled already." : "All selected records are coupled already.";
    return "";
  }

  function address(action) {
    const here = row(current);
    return action.dataset.needs === "partner" ? here.dataset.partner : action.dataset.address.replace("ROW", encodeURIComponent(here.dataset.id));
  }

  function allow() {
    for (const action of document.querySelectorAll(".commands [data-needs]")) {
      if (action.hasAttribute("data-fixed")) continue;
      const why = reason(action.dataset.needs);
      if (why) {
        action.setAttribute("aria-disabled", "true");
        action.dataset.reason = why;
        action.title = `${action.dataset.label}: ${why}`;
        if (action.dataset.address) action.removeAttribute("href");
      } else {
        action.removeAttribute("aria-disabled");
        delete action.dataset.reason;
        action.title = action.dataset.title;
        if (action.dataset.address) action.href = address(action);
      }
    }
  }

  function begin(each) {
    current = anchor = each.dataset.id;
    stretch = [];
  }

  function range(each) {
    const shown = rows();
    const first = shown.findIndex((one) => one.dataset.id === anchor);
    const [from, to] = [first < 0 ? shown.indexOf(each) : first, shown.indexOf(each)].sort((a, b) => a - b);
    return shown.slice(from, to + 1);
  }

  // A range goes from where it begins to the current row, whichever way that moves.
  function extend(each) {
    const wanted = range(each);
    const fresh = wanted.filter((one) => stretch.includes(one) || !isChosen(one));
    choose(stretch.filter((one) => !wanted.includes(one)), false);
    stretch = fresh;
    choose(wanted, true);
  }

  function go(each, extending) {
    if (!each) return;
    if (!extending) begin(each);
    current = each.dataset.id;
    each.focus();
    each.scrollIntoView({ block: "nearest" });
    if (extending) extend(each);
    else paint();
  }

  function toggle(each) {
    begin(each);
    choose([each], !isChosen(each));
  }

  function everyRow() {
    if (list().querySelector("[data-select-all]").hidden) choose(rows(), true);
    else all();
  }

  document.addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || event.altKey) return;
    const search = event.target.id === "list-text";
    if (search && event.key === "ArrowDown") {
      event.preventDefault();
      go(rows()[0]);
      return;
    }
    const each = event.target.closest("#list tr[data-id]");
    const shown = rows();
    if (event.ctrlKey && !event.target.closest("input[type='search'], textarea") && (each || event.target === document.body || list().contains(event.target))) {
      if (event.key.toLowerCase() === "a") everyRow();
      else if (event.key === "Home") go(shown[0], event.shiftKey);
      else if (event.key === "End") go(shown.at(-1), event.shiftKey);
      else if (event.key === " " && each) toggle(each);
      else return;
      event.preventDefault();
      return;
    }
    if (!each || event.ctrlKey) return;
    const at = shown.indexOf(each);
    if (event.key === "ArrowDown") go(shown[at + 1], event.shiftKey);
    else if (event.key === "ArrowUp") go(shown[at - 1], event.shiftKey);
    else if (event.key === "PageDown") go(shown[Math.min(at + LEAP, shown.length - 1)], event.shiftKey);
    else if (event.key === "PageUp") go(shown[Math.max(at - LEAP, 0)], event.shiftKey);
    else if (event.key === "Home") go(shown[0], event.shiftKey);
    else if (event.key === "End") go(shown.at(-1), event.shiftKey);
    else if (event.key === " ") toggle(each);
    else if (event.key === "Enter" && event.target === each) each.querySelector("a[href]")?.click();
    else return;
    event.preventDefault();
  });

  // A press of the mouse gives its row the focus before the click tells what is meant by it.
  document.addEventListener("pointerdown", () => { pressing = true; }, true);
  document.addEventListener("pointerup", () => setTimeout(() => { pressing = false; }), true);
  document.addEventListener("pointercancel", () => { pressing = false; }, true);

  document.addEventListener("focusin", (event) => {
    const each = event.target.closest("#list tr[data-id]");
    if (each && !pressing && current !== each.dataset.id) {
      begin(each);
      paint();
    }
  });

  document.addEventListener("click", (event) => {
    if (!list().contains(event.target)) return;
    const each = event.target.closest("tr[data-id]");
    if (event.target.closest("[data-select-none]")) none();
    else if (event.target.closest("[data-select-all]")) all();
    else if (event.target.closest("[data-select-rows]")) choose(rows(), true);
    else if (event.target.matches("[data-select-page]")) choose(rows(), event.target.checked);
    else if (event.target.matches("[data-select-row]")) {
      if (!event.shiftKey) toggle(each);
      else if (event.target.checked) go(each, true);
      else choose(range(each), false);
    } else if (each && !event.target.closest("a")) {
      if (event.ctrlKey || event.metaKey) toggle(each);
      else go(each, event.shiftKey);
    }
  });

  // htmx has decided on headers already, for a request without body.
  function post(detail) {
    detail.verb = "post";
    detail.useUrlParams = false;
    detail.headers["Content-Type"] = "application/x-www-form-urlencoded";
  }

  // What an action of the list asks for carries the selection, or names the current row.
  document.body.addEventListener("htmx:configRequest", (event) => {
    const action = event.detail.elt.closest(".commands [data-needs]");
    if (!action) return;
    const detail = event.detail;
    if (["row", "partner"].includes(action.dataset.needs)) {
      detail.path = detail.path.replace("ROW", encodeURIComponent(current));
      return;
    }
    const given = chosen.all
      ? { all: "1", search: chosen.all.search, states: chosen.all.states, excluded: chosen.out.join(" ") }
      : { ids: Object.keys(taken(current ? row(current) : null)).join(" ") };
    for (const [name, value] of Object.entries(given)) if (value) detail.parameters[name] = value;
    if ((given.ids ?? given.excluded ?? "").length > 2500) post(detail);
  });

  document.body.addEventListener("htmx:afterSettle", () => { load(); paint(); });
  window.addEventListener("pageshow", () => { load(); paint(); });
  // The heads of the columns stay below the bar of actions, however many lines that has.
  new ResizeObserver(([bar]) => {
    document.documentElement.style.setProperty("--commands", `${bar.target.offsetHeight}px`);
  }).observe(document.querySelector(".commands"));
  load();
  paint();
}
