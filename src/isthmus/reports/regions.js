"use strict";
(() => {
  const data = JSON.parse(document.getElementById("figures").textContent);
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
  const shape = (s) => {
    const xy = new Float64Array(bytes(s.vertices)), offsets = new Uint32Array(bytes(s.offsets)), corners = new Uint32Array(bytes(s.corners));
    const bounds = new Float64Array(4 * (offsets.length - 1));
    for (let i = 0; i + 1 < offsets.length; i++) {
      let x0 = Infinity, y0 = Infinity, x1 = -Infinity, y1 = -Infinity;
      for (let k = offsets[i]; k < offsets[i + 1]; k++) {
        const x = xy[2 * corners[k]], y = xy[2 * corners[k] + 1];
        if (x < x0) x0 = x;
        if (x > x1) x1 = x;
        if (y < y0) y0 = y;
        if (y > y1) y1 = y;
      }
      bounds.set([x0, y0, x1, y1], 4 * i);
    }
    return { xy, offsets, corners, bounds, count: offsets.length - 1 };
  };
  const regions = shape(data), { xy, offsets, corners, bounds, count } = regions;
  const areas = new Float32Array(bytes(data.areas));
  const segments = new Float64Array(bytes(data.segments));
  const tripoints = new Float64Array(bytes(data.tripoints));
  const colourings = data.colourings.map((c) => ({ ...c, codes: new Uint8Array(bytes(c.codes)), shape: c.vertices ? shape(c) : regions }));

  const box = { x0: Infinity, y0: Infinity, x1: -Infinity, y1: -Infinity };
  for (let i = 0; i < xy.length; i += 2) {
    box.x0 = Math.min(box.x0, xy[i]); box.x1 = Math.max(box.x1, xy[i]);
    box.y0 = Math.min(box.y0, xy[i + 1]); box.y1 = Math.max(box.y1, xy[i + 1]);
  }

  const canvas = document.getElementById("view"), pen = canvas.getContext("2d");
  const said = document.getElementById("said"), legend = document.getElementById("legend");
  const margin = { left: 58, right: 16, top: 14, bottom: 34 };
  const visible = new Uint32Array(Math.max(...colourings.map((c) => c.shape.count)));
  const still = document.createElement("canvas");
  let view = null, drawn = null, slow = 0, later = 0, colouring = colourings[0], queued = false;

  const inner = () => ({
    width: Math.max(50, canvas.clientWidth - margin.left - margin.right),
    height: Math.max(50, canvas.clientHeight - margin.top - margin.bottom),
  });
  function whole() {
    const { width, height } = inner();
    const scale = Math.min(width / (box.x1 - box.x0), height / (box.y1 - box.y0));
    view = { cx: (box.x0 + box.x1) / 2, cy: (box.y0 + box.y1) / 2, scale };
  }
  // Relative to the middle of the view, in doubles: a deep zoom keeps all digits.
  const px = (x) => margin.left + inner().width / 2 + (x - view.cx) * view.scale;
  const py = (y) => margin.top + inner().height / 2 - (y - view.cy) * view.scale;

  // A full drawing of many regions takes longer than a frame: while the hand moves, the last one is moved along.
  function frame() {
    queued = false;
    clearTimeout(later);
    if (slow > 25 && drawn && drawn.colouring === colouring && drawn.width === canvas.clientWidth) {
      preview();
      later = setTimeout(draw, 140);
    } else draw();
  }
  function preview() {
    const ratio = window.devicePixelRatio || 1, { width, height } = inner(), by = view.scale / drawn.scale;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    pen.save();
    pen.beginPath(); pen.rect(margin.left, margin.top, width, height); pen.clip();
    pen.drawImage(still, margin.left * ratio, margin.top * ratio, width * ratio, height * ratio,
      px(drawn.cx) - width * by / 2, py(drawn.cy) - height * by / 2, width * by, height * by);
    pen.restore();
    axes(view.cx - width / 2 / view.scale, view.cx + width / 2 / view.scale, view.cy - height / 2 / view.scale, view.cy + height / 2 / view.scale, width, height);
  }

  function draw() {
    const begin = performance.now();
    const ratio = window.devicePixelRatio || 1;
    const w = Math.round(canvas.clientWidth * ratio), h = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    const { width, height } = inner();
    const ox = margin.left + width / 2, oy = margin.top + height / 2, { cx, cy, scale } = view;
    const x0 = cx - width / 2 / scale, x1 = cx + width / 2 / scale, y0 = cy - height / 2 / scale, y1 = cy + height / 2 / scale;
    pen.save();
    pen.beginPath(); pen.rect(margin.left, margin.top, width, height); pen.clip();
    const { bounds, count } = colouring.shape;
    let seen = 0;
    for (let i = 0; i < count; i++) {
      const b = 4 * i;
      if (bounds[b] <= x1 && bounds[b + 2] >= x0 && bounds[b + 1] <= y1 && bounds[b + 3] >= y0) visible[seen++] = i;
    }
    const crowd = Math.sqrt(width * height / Math.max(1, seen));
    pen.lineWidth = .7; pen.lineJoin = "round";
    for (let code = 0; code < colouring.colours.length; code++) {
      pen.fillStyle = pen.strokeStyle = colouring.colours[code];
      for (let n = 0; n < seen; n++) {
        const i = visible[n], b = 4 * i;
        if (colouring.codes[i] !== code) continue;
        const wide = (bounds[b + 2] - bounds[b]) * scale, high = (bounds[b + 3] - bounds[b + 1]) * scale;
        if (wide < 1.2 && high < 1.2) {  // about a pixel: a square tells as much as a polygon
          pen.fillRect(ox + (bounds[b] - cx) * scale, oy - (bounds[b + 3] - cy) * scale, Math.max(wide, .7), Math.max(high, .7));
          continue;
        }
        // One path a polygon: a path of thousands is many times slower to fill.
        trace(i, ox, oy);
        pen.fill();
        if (wide > 3 || high > 3) pen.stroke();  // closes the hairlines that smoothing leaves between neighbours
      }
    }
    if (crowd > 5) {
      pen.strokeStyle = "#000"; pen.globalAlpha = Math.min(.55, (crowd - 5) / 30 + .12);
      for (let n = 0; n < seen; n++) { trace(visible[n], ox, oy); pen.stroke(); }
      pen.globalAlpha = 1;
    }
    overlay();
    pen.restore();
    axes(x0, x1, y0, y1, width, height);
    canvas.dataset.seen = seen;
    canvas.dataset.scale = scale;
    still.width = w; still.height = h;
    still.getContext("2d").drawImage(canvas, 0, 0);
    drawn = { ...view, colouring, width: canvas.clientWidth };
    slow = performance.now() - begin;
    canvas.dataset.milliseconds = slow;
  }

  function trace(i, ox, oy) {
    const { cx, cy, scale } = view, { xy, offsets, corners } = colouring.shape;
    pen.beginPath();
    for (let k = offsets[i]; k < offsets[i + 1]; k++) pen.lineTo(ox + (xy[2 * corners[k]] - cx) * scale, oy - (xy[2 * corners[k] + 1] - cy) * scale);
    pen.closePath();
  }

  function overlay() {
    pen.lineCap = "round";
    for (const [style, size] of [["#fff", 4.5], ["#111", 2.2]]) {
      pen.beginPath();
      for (let i = 0; i < segments.length; i += 4) {
        pen.moveTo(px(segments[i]), py(segments[i + 1]));
        pen.lineTo(px(segments[i + 2]), py(segments[i + 3]));
      }
      pen.strokeStyle = style; pen.lineWidth = size; pen.stroke();
    }
    for (let i = 0; i < tripoints.length; i += 2) {
      pen.beginPath(); pen.arc(px(tripoints[i]), py(tripoints[i + 1]), 6, 0, 7);
      pen.fillStyle = "#c40000"; pen.fill(); pen.strokeStyle = "#fff"; pen.lineWidth = 2; pen.stroke();
    }
  }

  function axes(x0, x1, y0, y1, width, height) {
    const style = getComputedStyle(document.body);
    pen.fillStyle = pen.strokeStyle = style.color; pen.font = "12px system-ui, sans-serif"; pen.lineWidth = 1;
    pen.strokeRect(margin.left, margin.top, width, height);
    const step = (span, room) => {
      const rough = span / Math.max(2, room / 90), power = 10 ** Math.floor(Math.log10(rough));
      return power * [1, 2, 5, 10].find((m) => m * power >= rough);
    };
    const text = (v, s) => Math.abs(v) < s / 2 ? "0" : v.toFixed(Math.min(12, Math.max(0, -Math.floor(Math.log10(s)))));
    const sx = step(x1 - x0, width), sy = step(y1 - y0, height);
    pen.textAlign = "center"; pen.textBaseline = "top";
    for (let v = Math.ceil(x0 / sx) * sx; v <= x1; v += sx) {
      pen.fillRect(px(v) - .5, margin.top + height, 1, 5);
      pen.fillText(text(v, sx), px(v), margin.top + height + 8);
    }
    pen.textAlign = "right"; pen.textBaseline = "middle";
    for (let v = Math.ceil(y0 / sy) * sy; v <= y1; v += sy) {
      pen.fillRect(margin.left - 5, py(v) - .5, 5, 1);
      pen.fillText(text(v, sy), margin.left - 8, py(v));
    }
  }

  const redraw = () => { if (!queued) { queued = true; requestAnimationFrame(frame); } };
  const at = (event) => {
    const r = canvas.getBoundingClientRect(), { width, height } = inner();
    const x = event.clientX - r.left - margin.left - width / 2, y = event.clientY - r.top - margin.top - height / 2;
    return { x: view.cx + x / view.scale, y: view.cy - y / view.scale };
  };
  function zoom(factor, around) {
    const { width, height } = inner();
    const least = .5 * Math.min(width / (box.x1 - box.x0), height / (box.y1 - box.y0));
    const scale = Math.min(1e13 * least, Math.max(least, view.scale * factor)), by = scale / view.scale;
    view = { cx: around.x + (view.cx - around.x) / by, cy: around.y + (view.cy - around.y) / by, scale };
    redraw();
  }
  const middle = () => ({ x: view.cx, y: view.cy });

  // A grid of the regions' boxes answers which one the pointer is on.
  const side = Math.max(1, Math.min(200, Math.ceil(Math.sqrt(count / 4)))), cells = Array.from({ length: side * side }, () => []);
  const column = (x) => Math.min(side - 1, Math.max(0, Math.floor((x - box.x0) / (box.x1 - box.x0) * side)));
  const line = (y) => Math.min(side - 1, Math.max(0, Math.floor((y - box.y0) / (box.y1 - box.y0) * side)));
  for (let i = 0; i < count; i++)
    for (let c = column(bounds[4 * i]); c <= column(bounds[4 * i + 2]); c++)
      for (let l = line(bounds[4 * i + 1]); l <= line(bounds[4 * i + 3]); l++) cells[l * side + c].push(i);
  function under({ x, y }) {
    if (x < box.x0 || x > box.x1 || y < box.y0 || y > box.y1) return -1;
    return cells[line(y) * side + column(x)].find((i) => {
      for (let k = offsets[i], j = offsets[i + 1] - 1; k < offsets[i + 1]; j = k++) {
        const ax = xy[2 * corners[j]], ay = xy[2 * corners[j] + 1], bx = xy[2 * corners[k]], by = xy[2 * corners[k] + 1];
        if ((bx - ax) * (y - ay) - (by - ay) * (x - ax) < 0) return false;
      }
      return true;
    }) ?? -1;
  }
  function tell(event) {
    const place = at(event), i = under(place);
    const where = `(${place.x.toPrecision(6)}, ${place.y.toPrecision(6)})`;
    said.textContent = i < 0 ? where : `${where}: region ${i}, area ${areas[i].toPrecision(3)}${data.notes[i] ? ", " + data.notes[i] : ""}`;
  }

  const held = new Map();
  canvas.addEventListener("pointerdown", (e) => { canvas.setPointerCapture(e.pointerId); held.set(e.pointerId, e); canvas.classList.add("held"); });
  canvas.addEventListener("pointermove", (e) => {
    const before = held.get(e.pointerId);
    if (!before) { tell(e); return; }
    if (held.size === 1) {
      view.cx -= (e.clientX - before.clientX) / view.scale;
      view.cy += (e.clientY - before.clientY) / view.scale;
      redraw();
    } else {
      const other = [...held.values()].find((o) => o.pointerId !== e.pointerId);
      const apart = (a) => Math.max(1, Math.hypot(a.clientX - other.clientX, a.clientY - other.clientY));
      zoom(apart(e) / apart(before), at({ clientX: (e.clientX + other.clientX) / 2, clientY: (e.clientY + other.clientY) / 2 }));
    }
    held.set(e.pointerId, e);
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (e) => { held.delete(e.pointerId); if (!held.size) canvas.classList.remove("held"); });
  canvas.addEventListener("wheel", (e) => { e.preventDefault(); zoom(Math.exp(-e.deltaY * (e.deltaMode ? .05 : .0016)), at(e)); }, { passive: false });
  canvas.addEventListener("dblclick", () => { whole(); redraw(); });
  canvas.addEventListener("keydown", (e) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[e.key];
    if (move) { view.cx += move[0] * 60 / view.scale; view.cy += move[1] * 60 / view.scale; redraw(); }
    else if (e.key === "+" || e.key === "=") zoom(1.5, middle());
    else if (e.key === "-") zoom(1 / 1.5, middle());
    else if (e.key === "0") { whole(); redraw(); }
    else return;
    e.preventDefault();
  });
  document.getElementById("in").addEventListener("click", () => zoom(1.6, middle()));
  document.getElementById("out").addEventListener("click", () => zoom(1 / 1.6, middle()));
  document.getElementById("home").addEventListener("click", () => { whole(); redraw(); });
  document.getElementById("colouring").addEventListener("change", (e) => { colouring = colourings[e.target.value]; explain(); redraw(); });
  function explain() {
    legend.replaceChildren(...colouring.legend.map(([colour, text]) => {
      const item = document.createElement("li"), patch = document.createElement("i");
      patch.style.background = colour;
      item.append(patch, text);
      return item;
    }));
    if (segments.length) { const item = document.createElement("li"); item.textContent = "thick line: the largest output changes; red: tripoint"; legend.append(item); }
  }
  addEventListener("themechange", redraw);
  new ResizeObserver(() => { if (!view) whole(); redraw(); }).observe(canvas);
  explain();
})();
