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
  known.curves.forEach((curve, i) => {
    const label = document.createElement("label");
    const tick = document.createElement("input");
    tick.type = "checkbox";
    tick.checked = true;
    const key = document.createElement("span");
    key.className = "key";
    key.style.background = curve.colour;
    const name = document.createElement("span");
    name.innerHTML = curve.html;
    label.append(tick, key, name);
    species.append(label);
    tick.addEventListener("change", () => {
      for (const plot of plots) plot.renderers[i].visible = tick.checked;
    });
  });

  const dosed = known.curves.filter((curve) => curve.dose !== null);
  if (dosed.length) {
    document.getElementById("dose").hidden = false;
    document.getElementById("unit").textContent = known.units;
    const ends = ["start", "stop"].map((id) => document.getElementById(id));
    const body = document.querySelector("#dose tbody");
    const show = (left, right) => {
      const [start, stop] = [Math.min(left, right), Math.max(left, right)];
      ends[0].value = Number(start.toPrecision(6));
      ends[1].value = Number(stop.toPrecision(6));
      body.replaceChildren(
        ...dosed.map((curve) => {
          const row = document.createElement("tr");
          const value = integral(curve.x, curve.y, start, stop);
          row.insertCell().innerHTML = curve.html;
          row.insertCell().textContent =
            value === null ? "not measured there" : (value * curve.dose).toExponential(3);
          return row;
        }),
      );
    };
    let busy = false;
    const move = (left, right) => {
      if (busy) return;
      busy = true;
      for (const box of boxes) box.setv({ left, right });
      busy = false;
      show(left, right);
    };
    for (const box of boxes) {
      for (const edge of ["left", "right"]) {
        box.properties[edge].change.connect(() => move(box.left, box.right));
      }
    }
    for (const input of ends) {
      input.addEventListener("change", () => {
        const values = ends.map((end) => (end.value === "" ? NaN : Number(end.value)));
        if (values.every(Number.isFinite)) move(values[0], values[1]);
      });
    }
    show(boxes[0].left, boxes[0].right);
  }
  document.body.dataset.ready = "yes";
});
