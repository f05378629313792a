// A bar of actions is one stop of Tab, and the arrows go through it.
const BAR = "[role='toolbar']";
const actionsOf = (bar) => [...bar.querySelectorAll("button, a")];

function stopAt(bar, stop) {
  for (const each of actionsOf(bar)) each.tabIndex = each === stop ? 0 : -1;
  bar.dataset.stops = "";
}

function prepare() {
  for (const bar of document.querySelectorAll(`${BAR}:not([data-stops])`)) stopAt(bar, actionsOf(bar)[0]);
}

export function bindBars() {
  document.addEventListener("focusin", (event) => {
    const bar = event.target.closest(BAR);
    if (bar) stopAt(bar, event.target);
  });
  document.addEventListener("keydown", (event) => {
    const bar = event.target.closest(BAR);
    if (!bar || event.altKey || event.ctrlKey || event.shiftKey) return;
    const all = actionsOf(bar);
    const at = all.indexOf(event.target);
    const next = { ArrowRight: (at + 1) % all.length, ArrowLeft: (at - 1 + all.length) % all.length, Home: 0, End: all.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    all[next].focus();
  });
  document.body.addEventListener("htmx:afterSettle", prepare);
  prepare();
}
