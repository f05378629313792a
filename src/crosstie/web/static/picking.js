// A search whose results are chosen from without leaving it: arrows go through the choices, Enter takes the first.
export function bindPicking() {
  document.addEventListener("keydown", (event) => {
    const search = event.target.closest?.("input[data-picks]");
    if (!search || event.ctrlKey || event.altKey) return;
    if (!["ArrowDown", "ArrowUp", "Enter"].includes(event.key)) return;
    event.preventDefault();
    const choices = [...(document.getElementById(search.dataset.picks)?.querySelectorAll("input[type=radio]:not(:disabled)") ?? [])];
    const at = choices.findIndex((each) => each.checked);
    const next = event.key === "ArrowUp" ? Math.max(at - 1, 0) : event.key === "ArrowDown" ? Math.min(at + 1, choices.length - 1) : Math.max(at, 0);
    const choice = choices[next];
    if (!choice || choice.checked) return;
    choice.checked = true;
    choice.dispatchEvent(new Event("change", { bubbles: true }));
  });
}
