// What is shown of one run below its curves: kernels, tensors, samples, log.
import * as format from "./format.js";
import { Heatmap } from "./heatmap.js";
import { get } from "./link.js";
import { element } from "./plot.js";

const byId = (id) => document.getElementById(id);

// A table; a column is [title, cell text or element of a row, class].
function table(columns, rows) {
  const made = element("table");
  const head = made.createTHead().insertRow();
  for (const [title, , kind] of columns) {
    const cell = element("th", kind, title);
    cell.scope = "col";
    head.append(cell);
  }
  const body = made.createTBody();
  for (const row of rows) {
    const line = body.insertRow();
    for (const [, cell, kind] of columns) {
      const filled = element("td", kind);
      filled.append(cell(row));
      line.append(filled);
    }
  }
  return made;
}

function shareBar(share) {
  const bar = element("span", "share");
  const fill = element("i");
  fill.style.width = `${Math.min(100, 100 * share)}%`;
  bar.append(fill, element("span", "", format.percent(share, 1)));
  return bar;
}

async function showKernels(run) {
  const { steps, step, kernels } = await get("api/kernels", { run: run.index });
  byId("kernels-note").textContent = steps ? `means of ${format.count(steps)} steps up to ${format.count(step)}` : "";
  if (!kernels.length) {
    byId("kernels").replaceChildren(element("p", "empty-note", "The first figures come after some steps."));
    return;
  }
  kernels.sort((a, b) => b.ms - a.ms);
  byId("kernels").replaceChildren(table([
    ["Kernel", (k) => k.name, "name"],
    ["ms a step", (k) => format.number(k.ms / steps, 3), "figure"],
    ["GFLOP/s", (k) => (k.gflop_per_s > 0 ? format.number(k.gflop_per_s, 3) : format.missing), "figure"],
    ["launches", (k) => format.number(k.launches / steps, 3), "figure wide-only"],
    ["share", (k) => shareBar(k.share), "share-cell"],
  ], kernels));
}

const heatmap = new Heatmap(byId("heatmap"));

function showTensorTable(latest) {
  byId("tensors-details").hidden = !latest;
  if (!latest) return;
  const side = (name, part, show) => (t) => (t[name] ? show(t[name][part]) : format.missing);
  byId("tensors-table").replaceChildren(table([
    ["Tensor", (t) => t.name.replace(/\.weight$/, ""), "name"],
    ["elements", (t) => format.short(t.elements), "figure"],
    ["weight norm", side("weight", 0, (v) => format.number(v, 3)), "figure"],
    ["largest", side("weight", 1, (v) => format.number(v, 3)), "figure"],
    ["gradient norm", side("gradient", 0, (v) => format.number(v, 3)), "figure"],
    ["largest", side("gradient", 1, (v) => format.number(v, 3)), "figure"],
    ["zeros", side("gradient", 2, (v) => format.percent(v, 1)), "figure"],
    ["not finite", side("gradient", 3, (v) => format.count(v)), "figure"],
  ], latest.tensors));
}

function showKinds(kinds) {
  const select = byId("tensors-kind");
  if (select.options.length === kinds.length + 1) return;
  const chosen = select.value;
  select.replaceChildren(new Option("whole layers", ""), ...kinds.map((kind) => new Option(kind, kind)));
  if (kinds.includes(chosen)) select.value = chosen;
}

async function showTensors(run) {
  const measure = byId("tensors-measure").value;
  const columns = Math.max(20, Math.floor((byId("heatmap").clientWidth - 80) / 4));
  const { kinds, map, latest } = await get("api/tensors", {
    run: run.index, of: byId("tensors-of").value, measure, kind: byId("tensors-kind").value, columns,
  });
  byId("tensors-note").textContent = latest ? `last look at step ${format.count(latest.step)}` : "";
  showKinds(kinds);
  heatmap.show(map, measure === "not_finite");
  showTensorTable(latest);
}

// Calls `pin` with the step of a sample that is clicked.
async function showSamples(run, pin) {
  const { samples } = await get("api/samples", { run: run.index, most: 30 });
  byId("samples-note").textContent = samples.length ? `newest first` : "";
  if (!samples.length) {
    byId("samples").replaceChildren(
      element("li", "empty-note", "Text that the weights write as training goes on appears here (--sample-every)."));
    return;
  }
  byId("samples").replaceChildren(...samples.map((sample) => {
    const item = element("li");
    const step = element("button", "quiet step", `step ${format.count(sample.step)}`);
    step.type = "button";
    step.title = "Show this step in the curves";
    step.addEventListener("click", () => pin(sample.step));
    const text = element("p");
    text.append(element("b", "", sample.prompt), sample.text);
    item.append(step, text);
    return item;
  }));
}

async function showLog(run) {
  const { lines } = await get("api/log", { run: run.index });
  if (!lines.length) {
    byId("log").replaceChildren(element("li", "empty-note", "Nothing yet."));
    return;
  }
  byId("log").replaceChildren(...lines.reverse().map(({ step, kind, text }) => {
    const item = element("li", kind);
    item.append(element("span", "at", format.count(step)), element("span", "", text));
    return item;
  }));
}

// Reads and shows `what` ("kernels", "tensors", "samples", "log") of a run.
export function showDetail(what, run, pin) {
  const show = { kernels: showKernels, tensors: showTensors, samples: showSamples, log: showLog }[what];
  return show ? show(run, pin) : Promise.resolve();
}

export const details = ["kernels", "tensors", "samples", "log"];

export function redrawDetails() {
  heatmap.draw();
}

// Calls `changed` when another map of tensors is wanted.
export function listenToTensorChoices(changed) {
  for (const id of ["tensors-of", "tensors-measure", "tensors-kind"]) {
    byId(id).addEventListener("change", changed);
  }
}
