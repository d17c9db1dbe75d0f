"use strict";
// Ties the controls of a page to its plot: species on and off, log or linear, dose of a window.

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

// A number as it is printed: 5.031×10¹⁴.
function printed(value) {
  const [digits, exponent] = value.toExponential(3).split("e");
  const raised = exponent.replace("+", "").replace("-", "⁻").replace(/\d/g, (d) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[d]);
  return `${digits.replace("-", "−")}×10${raised}`;
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

const { item, known } = JSON.parse(document.getElementById("sims-data").textContent);

Bokeh.embed.embed_item(item).then(() => {
  const page = Bokeh.documents[Bokeh.documents.length - 1];
  const find = (name) => page.get_model_by_name(name);
  const plots = ["log", "linear"].map(find);
  const boxes = plots.map((plot) => find(`${plot.name}-window`));

  for (const input of document.querySelectorAll("input[name=scale]")) {
    input.addEventListener("change", () => {
      for (const plot of plots) plot.visible = plot.name === input.value;
    });
  }

  const species = document.getElementById("species");
  for (const [text, on] of known.curves.length > 2 ? [["all", true], ["none", false]] : []) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.addEventListener("click", () => {
      for (const tick of species.querySelectorAll("input")) {
        if (tick.checked !== on) tick.click();
      }
    });
    species.append(button);
  }
  known.curves.forEach((curve, i) => {
    const label = document.createElement("label");
    const tick = document.createElement("input");
    tick.type = "checkbox";
    tick.checked = true;
    const name = document.createElement("span");
    name.innerHTML = curve.html;
    label.append(tick, sample(curve), name);
    species.append(label);
    tick.addEventListener("change", () => {
      for (const plot of plots) {
        for (const drawn of plot.renderers) {
          if (drawn.name === String(i)) drawn.visible = tick.checked;
        }
      }
    });
  });

  const dosed = known.curves.filter((curve) => curve.dose !== null);
  if (dosed.length) {
    document.getElementById("dose").hidden = false;
    document.getElementById("unit").textContent = known.units;
    const ends = ["start", "stop"].map((id) => document.getElementById(id));
    const body = document.querySelector("#dose tbody");
    const short = (depth) => `${Number(depth.toPrecision(4))} ${known.units}`;
    const show = (left, right, typed) => {
      const [start, stop] = [Math.min(left, right), Math.max(left, right)];
      // What is being typed is left as it is, one end after the other.
      if (!typed) {
        ends[0].value = Number(start.toPrecision(6));
        ends[1].value = Number(stop.toPrecision(6));
      }
      body.replaceChildren(
        ...dosed.map((curve) => {
          const row = document.createElement("tr");
          const value = integral(curve.x, curve.y, start, stop);
          const whole = start >= curve.x[0] && stop <= curve.x[curve.x.length - 1];
          row.insertCell().innerHTML = curve.html;
          const cell = row.insertCell();
          cell.className = "number";
          cell.textContent = value === null ? "–" : printed(value * curve.dose);
          row.insertCell().textContent =
            value === null
              ? "not measured there"
              : whole
                ? "ok"
                : `truncated: measured from ${short(curve.x[0])} to ${short(curve.x[curve.x.length - 1])}`;
          return row;
        }),
      );
    };
    let busy = false;
    const move = (left, right, typed = false) => {
      if (busy) return;
      busy = true;
      for (const box of boxes) box.setv({ left, right });
      busy = false;
      show(left, right, typed);
    };
    for (const box of boxes) {
      for (const edge of ["left", "right"]) {
        box.properties[edge].change.connect(() => move(box.left, box.right));
      }
    }
    for (const input of ends) {
      input.addEventListener("change", () => {
        const values = ends.map((end) => (end.value === "" ? NaN : Number(end.value)));
        if (values.every(Number.isFinite)) move(values[0], values[1], true);
      });
    }
    show(boxes[0].left, boxes[0].right, false);
  }
  // A log axis has no place for these; a linear one shows them.
  const hidden = known.curves.reduce((sum, curve) => sum + curve.hidden, 0);
  const note = document.getElementById("hidden");
  note.textContent = `Not on the log axis: ${hidden} samples that are zero, negative or no count.`;
  const tell = () => {
    note.hidden = !hidden || !plots[0].visible;
  };
  plots[0].properties.visible.change.connect(tell);
  tell();
  document.body.dataset.ready = "yes";
});
