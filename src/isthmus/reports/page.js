"use strict";
// The figures come as data, not as a script: no text of a record is ever executed.
const figures = JSON.parse(document.getElementById("figures").textContent);
const config = { responsive: true, displayModeBar: false, displaylogo: false };
const onScreen = new Set();

function themed(layout) {
  const style = getComputedStyle(document.documentElement);
  const [ink, soft, line] = ["--ink", "--soft", "--line"].map((name) => style.getPropertyValue(name).trim());
  const clear = "rgba(0,0,0,0)";
  const axis = { color: soft, gridcolor: line, linecolor: line, zerolinecolor: line };
  const changed = { ...layout, paper_bgcolor: clear, plot_bgcolor: clear, font: { ...layout.font, color: ink } };
  for (const name of Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))) {
    changed[name] = { ...layout[name], ...axis };
  }
  if (layout.scene) {
    changed.scene = { ...layout.scene };
    for (const name of ["xaxis", "yaxis", "zaxis"]) {
      changed.scene[name] = { ...layout.scene[name], ...axis, color: ink, backgroundcolor: clear };
    }
  }
  changed.hoverlabel = { ...layout.hoverlabel, bgcolor: style.getPropertyValue("--card").trim(), bordercolor: line };
  return changed;
}

function draw(id) {
  const { data, layout } = figures[id];
  // plotly writes into what it is given; a copy keeps the original for the next theme.
  return Plotly.react(id, structuredClone(data), themed(structuredClone(layout)), config);
}

// A browser keeps only a few 3-D contexts alive, so a page of many runs draws what is near the screen and lets go
// of 3-D plots that have left it.
const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (isIntersecting) {
      onScreen.add(target.id);
      draw(target.id);
    } else if (onScreen.has(target.id) && figures[target.id].layout.scene) {
      onScreen.delete(target.id);
      Plotly.purge(target);
    }
  }
}, { rootMargin: "600px" });
for (const id of Object.keys(figures)) watcher.observe(document.getElementById(id));
addEventListener("beforeprint", () => Object.keys(figures).forEach(draw));

const button = document.getElementById("theme");
function show(theme) {
  document.documentElement.dataset.theme = theme;
  button.textContent = theme === "dark" ? "Light" : "Dark";
  button.setAttribute("aria-pressed", String(theme === "dark"));
  onScreen.forEach(draw);
}
let isChosen = false;
const system = matchMedia("(prefers-color-scheme: dark)");
show(system.matches ? "dark" : "light");
system.addEventListener("change", () => isChosen || show(system.matches ? "dark" : "light"));
button.addEventListener("click", () => {
  isChosen = true;
  show(document.documentElement.dataset.theme === "dark" ? "light" : "dark");
});
