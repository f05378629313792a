// Before anything is painted: the theme that was chosen, else that of the system.
try {
  const chosen = localStorage.getItem("crosstie.theme");
  if (chosen) document.documentElement.dataset.theme = chosen;
} catch { /* a browser that keeps nothing shows the system's theme */ }
