"use strict";
// Shows the entries with every word of the box as it is typed, where there is no server to search,
// sorts the list by a column, and overlays two entries or more.
const rows = [...document.querySelectorAll("tr[data-words]")];
const box = document.querySelector("input[type=search]");
if (!document.querySelector("form[role=search]")) {
  const filter = () => {
    const words = box.value.toLowerCase().split(/\s+/);
    let count = 0;
    for (const row of rows) {
      row.hidden = !words.every((word) => row.dataset.words.toLowerCase().includes(word));
      count += !row.hidden;
    }
    document.getElementById("count").textContent = `${count} of ${rows.length} entries`;
  };
  box.addEventListener("input", filter);
  // A browser that comes back to the list may have kept the words.
  addEventListener("pageshow", () => box.value && filter());
}
const overlay = document.querySelector("#overlay button");
if (overlay) {
  const selected = () => document.querySelectorAll("#entries :checked").length;
  const update = () => { overlay.disabled = selected() < 2; };
  document.querySelector("#entries").addEventListener("change", update);
  update();
}
for (const button of document.querySelectorAll("button.sort")) {
  button.addEventListener("click", () => {
    const head = button.closest("th");
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const text = (row) => row.cells[head.cellIndex].textContent;
    const order = (a, b) => text(a).localeCompare(text(b), undefined, { numeric: true });
    rows.sort((a, b) => (up ? order(a, b) : order(b, a)));
    document.querySelector("#entries tbody").append(...rows);
  });
}
document.body.dataset.ready = "yes";
