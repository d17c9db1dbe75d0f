"use strict";
// Draws the profiles of a page, and ties its controls to the plot: species on and off, log or
// linear, dose of a window.

// Integral by trapezoids between two depths, the ends interpolated; null outside the record.
function integral(x, y, start, stop) {
  const first = Math.max(start, x[0]);
  const last = Math.min(stop, x[x.length - 1]);
  if (!(first < last)) return null;
  const at = (z) => {
    let i = 1;
    while (i < x.length - 1 && x[i] < z) i += 1;
    return y[i - 1] + ((y[i] - y[i - 1]) * (z - x[i - 1])) / (x[i] - x[i - 1]);
  };
  let sum = 0;
  let z = first;
  let value = at(first);
  for (let i = 0; i < x.length; i += 1) {
    if (x[i] > first && x[i] < last) {
      sum += ((value + y[i]) / 2) * (x[i] - z);
      z = x[i];
      value = y[i];
    }
  }
  return sum + ((value + at(last)) / 2) * (last - z);
}

// Deepest depth at which a profile falls through a level, in ln C where both samples are positive,
// below the transient at the surface; null if there is none.
function junction({ x, values: y, from }, level) {
  for (let i = x.length - 1; i > from; i -= 1) {
    const [above, below] = [y[i - 1], y[i]];
    if (above >= level && below < level) {
      const logs = above > 0 && below > 0 && level > 0;
      const [a, b, c] = logs ? [above, below, level].map(Math.log) : [above, below, level];
      return x[i - 1] + ((a - c) / (a - b)) * (x[i] - x[i - 1]);
    }
  }
  return null;
}

// A number as it is printed: 5.031×10¹⁴.
function printed(value) {
  if (value === 0) return "0";
  const [digits, exponent] = value.toExponential(3).split("e");
  const raised = exponent.replace("+", "").replace("-", "⁻").replace(/\d/g, (d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[d]);
  return `${digits.replace("-", "−")}×10${raised}`;
}

// The name of a curve in characters that need no markup: ¹¹B⁺, C₂H₂.
function written(html) {
  const [above, below] = ["⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "₀₁₂₃₄₅₆₇₈₉₊₋"];
  const placed = (text, digits) => text.replace(/[\d+−]/g, (one) => digits["0123456789+−".indexOf(one)]);
  const name = document.createElement("span");
  name.innerHTML = html;
  for (const one of name.querySelectorAll("sup")) one.textContent = placed(one.textContent, above);
  for (const one of name.querySelectorAll("sub")) one.textContent = placed(one.textContent, below);
  return name.textContent;
}

// What stands for a curve in the list of species: a piece of its line, which is printed too.
function sample(curve) {
  const space = "http://www.w3.org/2000/svg";
  const key = document.createElementNS(space, "svg");
  key.setAttribute("class", "key");
  key.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(space, "line");
  const ends = { x1: 0, x2: 24, y1: 3, y2: 3, stroke: curve.colour, "stroke-width": 2.5 };
  for (const [name, value] of Object.entries(ends)) line.setAttribute(name, value);
  if (curve.dash.length) line.setAttribute("stroke-dasharray", curve.dash.join(" "));
  key.append(line);
  return key;
}

const known = JSON.parse(document.getElementById("sims-data").textContent);
const element = (id) => document.getElementById(id);
for (const curve of known.curves) curve.x = known.depths[curve.depths];

const WIDTH = 1.8;
// Height of a plot, and of its frame without the numbers and label below, in pixels.
const [HEIGHT, FRAME] = [420, 370];
// More curves than these have no names beside them.
const NAMED = 12;

// How far above its mark a name stands, in pixels, so that it is not printed over another one.
function raised(taken, x, y, text, left) {
  const [from, to] = left ? [x - 6 - 7 * text.length, x - 6] : [x + 6, x + 6 + 7 * text.length];
  const free = (by) =>
    y + by < FRAME - 16 && !taken.some(([a, b, at]) => from < b && a < to && Math.abs(at - y - by) < 14);
  const by = [3, -14, 17, -28, 31, -42, 45, -56].find(free) ?? 3;
  taken.push([from, to, y + by]);
  return by;
}

// All curves; each further quantity has an axis on the right. An axis is linear where all are, or
// where the page wants it.
function drawn(kind) {
  const scaleOf = (axis) => (kind === "log" ? axis.kind : kind);
  const part = (value, [low, high], log) =>
    log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
  const wide = Math.max(element("sims-plot").clientWidth - 80 * known.axes.length, 150);
  const inksOf = (axis) =>
    new Set(known.curves.filter((one) => known.axes[one.axis] === axis).map((one) => one.ink));
  const taken = []; // by names: from, to, and at which height
  const [first, ...others] = known.axes;
  const plot = Bokeh.Plotting.figure({
    name: kind,
    height: HEIGHT,
    sizing_mode: "stretch_width",
    min_width: 240 + 75 * others.length, // in a narrower window it is scrolled
    y_axis_type: scaleOf(first),
    x_range: known.depth.range,
    y_range: first[scaleOf(first)],
    x_axis_label: known.depth.label,
    y_axis_label: first.label,
    tools: "pan,wheel_zoom,box_zoom,reset,save",
    active_drag: null,
  });
  for (const axis of others) {
    const log = scaleOf(axis) === "log";
    const [start, end] = axis[scaleOf(axis)];
    const range = { y_range_name: axis.label, axis_label: axis.label };
    // An arrow does not say which of several right axes is meant: a colour does, or the list below.
    const [ink, second] = inksOf(axis);
    if (others.length > 1 && !second && !others.some((one) => one !== axis && inksOf(one).has(ink))) {
      for (const part of ["axis_label", "major_label"]) range[`${part}_text_color`] = ink;
    }
    plot.extra_y_ranges = { ...plot.extra_y_ranges, [axis.label]: new Bokeh.Range1d({ start, end }) };
    const scale = log ? new Bokeh.LogScale() : new Bokeh.LinearScale();
    plot.extra_y_scales = { ...plot.extra_y_scales, [axis.label]: scale };
    plot.add_layout(log ? new Bokeh.LogAxis(range) : new Bokeh.LinearAxis(range), "right");
  }
  const quantities = new Map();
  const crossings = []; // circles at the junctions
  const curves = known.curves.map((curve) => {
    const axis = known.axes[curve.axis];
    const log = scaleOf(axis) === "log";
    const off = new Set(log ? curve.off : []);
    const on = (i) => i >= 0 && i < curve.x.length && !off.has(i);
    const y = curve.values.map((value, i) => (on(i) ? value : NaN));
    // A sample between two that are not drawn is a point, because a line would not show it.
    const points = y.map((_, i) => i).filter((i) => on(i) && !on(i - 1) && !on(i + 1));
    const looks = { name: curve.name };
    if (curve.axis) looks.y_range_name = axis.label;
    const line = { ...looks, color: curve.colour, line_width: WIDTH, line_dash: curve.dash };
    // Over a gap, where nothing was measured, there is no line.
    const gaps = new Set(curve.quality.filter(([word]) => word === "gap").map(([, from]) => from));
    const open = (all, between) => [...all].flatMap((v, i) => (gaps.has(curve.x[i]) ? [v, between(v)] : [v]));
    const parts = [plot.line(open(curve.x, (x) => x), open(y, () => NaN), line)];
    const mark = { ...looks, color: curve.colour };
    const fixed = []; // neither hovered over nor emphasised
    if (curve.stderr) {
      const ends = [-1, 1].map((sign) => y.map((value, i) => value + sign * curve.stderr[i]));
      const floor = log ? axis.log[0] / 1e3 : -Infinity;
      const band = { ...mark, fill_alpha: 0.2, level: "underlay" };
      fixed.push(plot.varea(curve.x, ends[0].map((low) => Math.max(low, floor)), ends[1], band));
    }
    if (off.size) {
      const at = [...off].map((i) => curve.x[i]);
      const low = at.map(() => axis.log[0] * 1.15);
      const open = { ...mark, size: 4, fill_alpha: 0, marker: "inverted_triangle" };
      fixed.push(plot.scatter(at, low, open));
    }
    const higher = (value, i, best) => i >= curve.from && value > (y[best] ?? -Infinity);
    const most = y.reduce((best, value, i) => (higher(value, i, best) ? i : best), -1);
    if (most >= 0) {
      const [x, top] = [curve.x[most], y[most]];
      fixed.push(plot.scatter([x], [top], { ...mark, size: 9, marker: "cross", line_width: 1.2 }));
      if (known.curves.filter((one) => one.on).length <= NAMED) {
        const [low, high] = known.depth.range;
        const left = x > low + 0.75 * (high - low); // of its mark, where there is no room at the right
        const text = written(curve.html).replace("→", "") + (curve.axis ? "→" : "");
        const at = [wide * part(x, [low, high]), FRAME * part(top, axis[scaleOf(axis)], log)];
        const place = { x_offset: left ? -6 : 6, y_offset: raised(taken, ...at, text, left) };
        if (looks.y_range_name) place.y_range_name = looks.y_range_name;
        const label = new Bokeh.Label({
          x, y: top, text, ...place, text_align: left ? "right" : "left",
          text_color: curve.ink, text_font_size: "12px",
          background_fill_color: "white", background_fill_alpha: 0.7,
        });
        plot.add_layout(label);
        fixed.push(label);
      }
    }
    const circle = { ...looks, size: 8, line_color: curve.colour, fill_color: "white", line_width: 1.5 };
    const crossing = curve.dose === null ? null : plot.scatter([], [], circle);
    if (crossing) fixed.push(crossing);
    crossings.push(crossing);
    if (points.length) {
      const [x, alone] = [curve.x, y].map((all) => points.map((i) => all[i]));
      parts.push(plot.scatter(x, alone, { ...looks, size: 3, color: curve.colour }));
    }
    const unit = `${curve.quantity}\n${curve.unit}`;
    quantities.set(unit, [...(quantities.get(unit) ?? []), ...parts]);
    return [...parts, ...fixed];
  });
  for (const [quantity, renderers] of quantities) {
    const [name, unit] = quantity.split("\n");
    const tooltips = [
      ["", "$name"],
      [known.depth.label.split(" (")[0], `@x{%.5g} ${known.depth.units}`],
      [name, `@y{%.3e} ${unit}`.trimEnd()],
    ];
    const formatters = { "@x": "printf", "@y": "printf" };
    plot.add_tools(new Bokeh.HoverTool({ renderers, tooltips, formatters, visible: false }));
  }
  const box = new Bokeh.BoxAnnotation({
    name: `${kind}-window`,
    editable: true,
    movable: "x",
    resizable: "x",
    fill_alpha: 0.06,
    fill_color: "#0072B2",
    line_color: "#0072B2",
    line_dash: "dashed",
    visible: known.depth.window !== null,
  });
  plot.add_layout(box);
  const line = new Bokeh.Span({
    name: `${kind}-level`,
    dimension: "width",
    editable: true,
    line_color: "#0072B2",
    line_dash: "dashed",
    visible: level !== null,
    ...(level === null ? {} : { location: level }),
  });
  plot.add_layout(line);
  for (const grid of [...plot.xgrid, ...plot.ygrid]) grid.grid_line_alpha = 0.35;
  for (const axis of plot.axes) axis.axis_label_text_font_style = "normal";
  plot.toolbar.logo = null;
  return { plot, curves, crossings, box, line };
}

// One plot of each kind, drawn when it is first asked for.
const plots = new Map();
const shown = known.curves.map((curve) => curve.on);
let ends = known.depth.window;
let level = known.level;
let doses = () => {};

function show(curve) {
  for (const { curves } of plots.values()) {
    for (const part of curves[curve]) part.visible = shown[curve];
  }
}

function emphasise(curve, strong) {
  for (const { curves } of plots.values()) {
    curves[curve][0].glyph.line_width = { value: strong ? 3 * WIDTH : WIDTH };
  }
}

let busy = false;
function move(left, right, typed = false) {
  if (busy) return;
  busy = true;
  ends = [left, right];
  for (const { box } of plots.values()) box.setv({ left, right });
  busy = false;
  doses(typed);
}

function lift(value, typed = false) {
  if (busy || !Number.isFinite(value)) return;
  busy = true;
  level = value;
  for (const { line } of plots.values()) line.setv({ location: value, visible: true });
  busy = false;
  doses(typed);
}

async function look(kind) {
  if (!plots.has(kind)) {
    const one = drawn(kind);
    plots.set(kind, one);
    if (ends !== null) {
      one.box.setv({ left: ends[0], right: ends[1] });
      for (const edge of ["left", "right"]) {
        one.box.properties[edge].change.connect(() => move(one.box.left, one.box.right));
      }
    }
    one.line.properties.location.change.connect(() => lift(one.line.location));
    doses(false);
    known.curves.forEach((_, i) => show(i));
    await Bokeh.Plotting.show(one.plot, element("sims-plot"));
  }
  for (const [name, { plot }] of plots) plot.visible = name === kind;
  // A log axis has no place for these; a linear one shows them.
  const logged = known.curves.filter((curve) => known.axes[curve.axis].kind === "log");
  const hidden = logged.reduce((sum, curve) => sum + curve.off.length, 0);
  const note = element("hidden");
  note.textContent = `Not on the log axis: ${hidden} samples that are zero, negative, tiny or no count.`;
  note.hidden = !hidden || kind !== "log";
}

// A list longer than this can be searched.
const MANY = 12;

function listSpecies() {
  const list = element("species");
  const labels = known.curves.map((curve, i) => {
    const label = document.createElement("label");
    const tick = document.createElement("input");
    tick.type = "checkbox";
    tick.checked = curve.on;
    tick.autocomplete = "off";
    const name = document.createElement("span");
    name.innerHTML = curve.html;
    label.append(tick, sample(curve), name);
    if (known.axes.length > 1) {
      const axis = document.createElement("span");
      const place = curve.axis === 0 ? "←" : "→";
      axis.textContent = ` ${place}${known.axes.length > 2 ? ` ${known.axes[curve.axis].label}` : ""}`;
      axis.className = "note";
      label.append(axis);
    }
    tick.addEventListener("change", () => {
      shown[i] = tick.checked;
      show(i);
    });
    for (const [event, strong] of [
      ["mouseenter", true], ["mouseleave", false], ["focusin", true], ["focusout", false],
    ]) {
      label.addEventListener(event, () => emphasise(i, strong));
    }
    return label;
  });
  list.append(...labels);
  const turn = (on) => {
    labels.forEach((label, i) => {
      if (label.hidden) return;
      label.querySelector("input").checked = on;
      shown[i] = on;
      show(i);
    });
  };
  for (const [id, on] of [["all", true], ["none", false]]) {
    element(id).hidden = labels.length <= 2;
    element(id).addEventListener("click", () => turn(on));
  }
  const find = element("find");
  find.parentElement.hidden = labels.length <= MANY;
  find.addEventListener("input", () => {
    const words = find.value.toLowerCase().split(/\s+/);
    labels.forEach((label, i) => {
      const text = `${known.curves[i].name} ${label.textContent}`.toLowerCase();
      label.hidden = !words.every((word) => text.includes(word));
    });
  });
}

function listDoses() {
  const dosed = known.curves.filter((curve) => curve.dose !== null);
  element("dose").hidden = false;
  for (const id of ["unit", "junction-unit"]) element(id).textContent = known.depth.units;
  element("level-unit").textContent = dosed[0].unit;
  const inputs = ["start", "stop"].map(element);
  const body = document.querySelector("#dose tbody");
  const short = (depth) => `${Number(depth.toPrecision(4))} ${known.depth.units}`;
  // What the dose between two depths rests on that was not measured; "ok" if it was.
  const status = (curve, start, stop, top, bottom) => {
    const within = (word) =>
      curve.quality.filter(([kind, from, to]) =>
        kind === word && (word === "gap" ? from < stop && to > start : from <= stop && to >= start),
      );
    const [full] = within("saturated");
    if (full) return `saturated: the detector cut off samples from ${short(full[1])}`;
    const [gap] = within("gap");
    if (gap) return `gap: not measured from ${short(gap[1])} to ${short(gap[2])}`;
    const [low] = within("below_limit");
    if (low) return `below_limit: samples from ${short(low[1])} are below their limit of detection`;
    if (start < top || stop > bottom) {
      return `truncated: measured from ${short(top)} to ${short(bottom)}`;
    }
    return "ok";
  };
  doses = (typed) => {
    const [start, stop] = [Math.min(...ends), Math.max(...ends)];
    // What is being typed is left as it is, one end after the other.
    if (!typed) {
      inputs[0].value = Number(start.toPrecision(6));
      inputs[1].value = Number(stop.toPrecision(6));
      if (level !== null) element("level").value = Number(level.toPrecision(4)).toExponential();
    }
    body.replaceChildren(
      ...dosed.map((curve) => {
        const row = document.createElement("tr");
        const [top, bottom] = [curve.x[0], curve.x[curve.x.length - 1]];
        const value = integral(curve.x, curve.values, start, stop);
        row.insertCell().innerHTML = curve.html;
        const cell = row.insertCell();
        cell.className = "number";
        cell.textContent = value === null ? "–" : printed(value * curve.dose);
        row.insertCell().textContent =
          value === null
            ? "not measured there"
            : status(curve, start, stop, top, bottom);
        const crossed = level === null ? null : junction(curve, level);
        const at = crossed === null ? { x: [], y: [] } : { x: [crossed], y: [level] };
        for (const { crossings } of plots.values()) {
          crossings[known.curves.indexOf(curve)].data_source.data = at;
        }
        const depth = row.insertCell();
        depth.className = "number";
        depth.textContent = crossed === null ? "–" : Number(crossed.toPrecision(4));
        return row;
      }),
    );
  };
  for (const input of inputs) {
    input.addEventListener("change", () => {
      const values = inputs.map((end) => (end.value === "" ? NaN : Number(end.value)));
      if (values.every(Number.isFinite)) move(values[0], values[1], true);
      else doses(false); // what is no number is replaced by what is shown
    });
  }
  element("level").addEventListener("change", ({ target }) => {
    if (Number(target.value) > 0) lift(Number(target.value), true);
    else doses(false);
  });
  doses(false);
}

listSpecies();
if (ends !== null) listDoses();
for (const input of document.querySelectorAll("input[name=scale]")) {
  input.checked = input.value === known.kind;
  input.addEventListener("change", () => look(input.value));
}
look(known.kind).then(() => {
  document.body.dataset.ready = "yes";
});
