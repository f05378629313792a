// A box that selects all boxes of its form that have the name it bears.
export function bindChoosing() {
  document.addEventListener("change", (event) => {
    const all = event.target.closest("[data-selects]");
    if (!all) return;
    for (const each of all.form.querySelectorAll(`[name="${CSS.escape(all.dataset.selects)}"]`)) each.checked = all.checked;
  });
}
