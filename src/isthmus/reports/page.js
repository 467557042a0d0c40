"use strict";
// Figures are drawn from one JSON block, so that no text of a record is ever read as a script.
const figures = JSON.parse(document.getElementById("figures").textContent);
const isNarrow = () => innerWidth < 600;

function themed(layout) {
  const style = getComputedStyle(document.documentElement);
  const ink = style.getPropertyValue("--ink").trim(), line = style.getPropertyValue("--line").trim();
  const changes = {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { ...layout.font, color: ink }, showlegend: layout.showlegend !== false && !(isNarrow() && layout.meta === "many"),
  };
  for (const name of Object.keys(layout).filter((key) => /^[xy]axis/.test(key))) {
    changes[name] = { ...layout[name], gridcolor: line, linecolor: line, zerolinecolor: line };
  }
  if (layout.scene) {
    const axis = { gridcolor: line, zerolinecolor: line, backgroundcolor: "rgba(0,0,0,0)", color: ink };
    changes.scene = { ...layout.scene };
    for (const name of ["xaxis", "yaxis", "zaxis"]) changes.scene[name] = { ...layout.scene[name], ...axis };
  }
  return { ...layout, ...changes };
}

function draw() {
  for (const [id, figure] of Object.entries(figures)) {
    Plotly.react(id, figure.data, themed(figure.layout), { responsive: true, displaylogo: false, displayModeBar: false });
  }
}

draw();
document.getElementById("theme").addEventListener("click", () => {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  draw();
});
