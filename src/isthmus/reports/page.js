"use strict";
// The figures come as data, not as a script: no text of a record is ever executed.
const figures = JSON.parse(document.getElementById("figures").textContent);
const config = { responsive: true, displayModeBar: false, displaylogo: false };
const drawn = new Set();

function themed(layout) {
  const style = getComputedStyle(document.documentElement);
  const [ink, soft, line] = ["--ink", "--soft", "--line"].map((name) => style.getPropertyValue(name).trim());
  const clear = "rgba(0,0,0,0)";
  const axis = { color: soft, gridcolor: line, linecolor: line, zerolinecolor: line };
  const changed = { ...layout, paper_bgcolor: clear, plot_bgcolor: clear, font: { ...layout.font, color: ink } };
  for (const name of Object.keys(layout).filter((key) => /^[xy]axis\d*$/.test(key))) {
    changed[name] = { ...layout[name], ...axis };
  }
  changed.hoverlabel = { ...layout.hoverlabel, bgcolor: style.getPropertyValue("--card").trim(), bordercolor: line };
  return changed;
}

function draw(id) {
  const { data, layout } = figures[id];
  // plotly writes into what it is given; a copy keeps the original for the next theme.
  return Plotly.react(id, structuredClone(data), themed(structuredClone(layout)), config);
}

// A page of many runs draws what comes near the screen.
const watcher = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    watcher.unobserve(target);
    drawn.add(target.id);
    draw(target.id);
  }
}, { rootMargin: "600px" });
for (const id of Object.keys(figures)) watcher.observe(document.getElementById(id));
addEventListener("beforeprint", () => Object.keys(figures).forEach(draw));

addEventListener("themechange", () => drawn.forEach(draw));
