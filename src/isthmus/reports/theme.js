"use strict";
// Light or dark as the system has it, until the reader chooses; what draws listens for `themechange`.
(() => {
  const button = document.getElementById("theme"), system = matchMedia("(prefers-color-scheme: dark)");
  let isChosen = false;
  function show(theme) {
    document.documentElement.dataset.theme = theme;
    button.textContent = theme === "dark" ? "Light" : "Dark";
    button.setAttribute("aria-pressed", String(theme === "dark"));
    dispatchEvent(new Event("themechange"));
  }
  show(system.matches ? "dark" : "light");
  system.addEventListener("change", () => isChosen || show(system.matches ? "dark" : "light"));
  button.addEventListener("click", () => {
    isChosen = true;
    show(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
  });
})();
