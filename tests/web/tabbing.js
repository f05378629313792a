// Where Tab has been, and where it should come to: for tabbing.py.
(() => {
  const FORM = "a[href], button, input:not([type='hidden']), select, textarea, summary";
  const called = (each) => `${each.tagName} ${each.id || each.name || ""} ${(each.getAttribute("aria-label") ?? each.textContent).trim().slice(0, 60)}`;
  const seen = (each) => !each.disabled && each.checkVisibility();
  const been = [];
  const hidden = [];

  // At the next press, when the page has come to rest: the focus is in view, marked, and nothing lies over all of it.
  addEventListener("keydown", () => {
    const here = document.activeElement;
    if (here === document.body || here.id === "content") return;
    const { left, top, right, bottom } = here.getBoundingClientRect();
    const points = [[(left + right) / 2, (top + bottom) / 2], [left + 2, top + 2], [right - 2, bottom - 2]];
    const found = points.map(([x, y]) => document.elementFromPoint(x, y)).filter(Boolean);
    if (!found.some((each) => here.contains(each) || each.contains(here) || each.closest("label")?.control === here)) hidden.push(`${called(here)} is out of view`);
    if (getComputedStyle(here).outlineStyle === "none") hidden.push(`${called(here)} is not marked`);
  }, true);
  addEventListener("focusin", (event) => been.push(event.target), true);

  // Of radio buttons that belong together Tab comes to the one that is chosen, or to the first.
  function isStop(each) {
    if (each.type !== "radio") return true;
    const all = [...document.getElementsByName(each.name)].filter((other) => other.form === each.form && seen(other));
    return each === (all.find((other) => other.checked) ?? all[0]);
  }

  window.walk = {
    begin(root) {
      // From here on nothing on the page changes.
      document.addEventListener("htmx:beforeRequest", (event) => event.preventDefault(), true);
      document.getElementById("content").focus();
      been.splice(0);
      return [...root.querySelectorAll(`${FORM}, [tabindex]`)].filter((each) => each.tabIndex >= 0 && seen(each) && isStop(each)).map(called);
    },
    end() {
      const stops = been.filter((each) => each.id !== "content" && (each.matches(FORM) || each.hasAttribute("tabindex")));
      const turned = [...document.querySelectorAll("[tabindex]")].filter((each) => each.tabIndex > 0);
      const lost = [...document.querySelectorAll(FORM)].filter((each) => each.tabIndex < 0 && seen(each) && !each.closest("[role='toolbar'], [role='grid']"));
      return [stops.map(called), [...hidden, ...turned.map((each) => `${called(each)} is out of turn`), ...lost.map((each) => `${called(each)} cannot be reached`)]];
    },
  };
})();
