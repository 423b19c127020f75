// Runs before the first paint, so that a chosen theme never flashes the other one. Not a module on
// purpose: modules wait until the document is read.
(() => {
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage is refused (private window): the system's theme stays.
  }
})();
