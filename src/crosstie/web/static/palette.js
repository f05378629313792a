// The palette: the actions of this page first, then the pages.
export function bindPalette() {
  const palette = document.getElementById("palette");
  if (!palette) return;
  const text = palette.querySelector("input");
  const list = palette.querySelector("ul");

  function fill() {
    list.querySelectorAll("[data-action]").forEach((each) => each.remove());
    const actions = [...document.querySelectorAll(".commands .action:not([aria-disabled='true'])")];
    list.prepend(...actions.map((action) => {
      const item = document.createElement("li");
      item.setAttribute("role", "option");
      item.dataset.action = "";
      item.textContent = action.textContent.trim();
      item.addEventListener("click", () => { palette.close(); action.click(); });
      return item;
    }));
    list.querySelectorAll("li").forEach((item, at) => { item.id = `palette-${at}`; });
  }

  function shown() { return [...list.children].filter((item) => !item.hidden); }

  function choose(item) {
    list.querySelectorAll("[aria-selected]").forEach((each) => each.removeAttribute("aria-selected"));
    item?.setAttribute("aria-selected", "true");
    item?.scrollIntoView({ block: "nearest" });
    if (item) text.setAttribute("aria-activedescendant", item.id);
    else text.removeAttribute("aria-activedescendant");
  }

  function narrow() {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const item of list.children) {
      const all = `${item.textContent} ${item.dataset.words ?? ""}`.toLowerCase();
      item.hidden = !words.every((word) => all.includes(word));
    }
    choose(shown()[0]);
  }

  text.addEventListener("input", narrow);
  text.addEventListener("keydown", (event) => {
    const items = shown();
    const at = items.findIndex((item) => item.getAttribute("aria-selected"));
    if (event.key === "ArrowDown") choose(items[Math.min(at + 1, items.length - 1)]);
    else if (event.key === "ArrowUp") choose(items[Math.max(at - 1, 0)]);
    else if (event.key === "Enter") items[at]?.click();
    else return;
    event.preventDefault();
  });
  list.addEventListener("click", (event) => {
    const item = event.target.closest("[data-href]");
    if (item) location.href = item.dataset.href;
  });
  document.querySelector("[data-opens='palette']")?.addEventListener("click", () => {
    fill();
    text.value = "";
    narrow();
    text.focus();
  });
}
