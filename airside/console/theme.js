// Before anything is drawn: the theme that this browser chose last. A classic script, since a
// module would run after the first paint.
(() => {
  try {
    const chosen = localStorage.getItem("airside.theme");
    if (chosen === "light" || chosen === "dark")
      document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage is forbidden here: the system's theme it is.
  }
})();
