// Puts the page together: runs, what is shown of them, and how it stays true.
import { showConfigs } from "./config_panel.js";
import { makeCurves, smoothingWindow } from "./curves.js";
import { details, listenToTensorChoices, redrawDetails, showDetail } from "./detail_panels.js";
import { count } from "./format.js";
import { HistogramPanel } from "./histogram_panel.js";
import { get, Link } from "./link.js";
import { element } from "./plot.js";
import { Run } from "./run.js";
import { Stage } from "./stage.js";
import { healthOf, showStatus, titleOf } from "./status_panel.js";
import { color, runColor, startTheme } from "./theme.js";

const byId = (id) => document.getElementById(id);
const stage = new Stage();
const link = new Link();
let runs = [];
let focused = 0;  // index of the run whose status and details are shown

const focus = () => runs[focused];
const visible = () => runs.filter((run) => run.visible);
const points = () => Math.min(1500, Math.max(300, byId("plots").clientWidth || 800));

const plots = makeCurves(byId("plots"), stage, {
  runs: visible, focus, window: () => smoothingWindow(Number(byId("smoothing").value)),
});

const histograms = new HistogramPanel(stage);

// --- drawing, at most once a frame

let drawing = false;

function draw() {
  drawing = false;
  const shown = visible().filter((run) => run.overview && run.lastStep);
  if (shown.length) {
    stage.setExtent(Math.min(...shown.map((run) => run.firstStep)), Math.max(...shown.map((run) => run.lastStep)));
  }
  for (const plot of plots) plot.draw();
  histograms.draw();
  if (focus()) {
    showStatus(focus());
    document.title = titleOf(focus());
  }
  showRuns();
  const view = stage.view;
  byId("range").textContent = view ? `Steps ${count(view.from)} to ${count(view.to)}` : "All steps";
  byId("reset").hidden = !view;
}

function redraw() {
  if (!drawing) requestAnimationFrame(draw);
  drawing = true;
}

// --- the runs in the head of the page

function runChip(run) {
  const chip = element("span", "chip");
  const show = element("button", "dot");
  show.type = "button";
  show.addEventListener("click", () => {
    run.visible = !run.visible || visible().length === 1;
    showConfigs(visible()).catch(() => {});
    redraw();
  });
  const name = element("button", "chip-name", run.name);
  name.type = "button";
  name.title = run.path;
  name.addEventListener("click", () => setFocus(run.index));
  chip.append(show, name);
  return chip;
}

function showRuns() {
  const bar = byId("runs");
  if (bar.children.length !== runs.length) bar.replaceChildren(...runs.map(runChip));
  runs.forEach((run, i) => {
    const [show, name] = bar.children[i].children;
    bar.children[i].className = `chip ${healthOf(run.status ?? {})}${run.visible ? "" : " off"}`;
    show.style.setProperty("--own", color(runColor(run.index)));
    show.setAttribute("aria-pressed", String(run.visible));
    show.setAttribute("aria-label", `${run.visible ? "Hide" : "Show"} ${run.name} in the curves`);
    name.setAttribute("aria-current", String(i === focused));
  });
}

function setFocus(index) {
  focused = index;
  focus().visible = true;
  for (const what of details) refresh(what);
  redraw();
}

// --- details of the focused run, read again when news says so, at most twice a second each

const due = new Set();

function refresh(what) {
  if (due.has(what)) return;
  due.add(what);
  setTimeout(() => {
    due.delete(what);
    if (!focus()) return;
    showDetail(what, focus(), (step) => stage.pin(step)).catch(() => {});
    if (what === "tensors") histograms.show(focus()).catch(() => {});
  }, what === "tensors" || what === "kernels" ? 400 : 50);
}

function rowsChanged(run, what) {
  if (details.includes(what) && run.index === focused) refresh(what);
  redraw();
}

// --- reading

// Everything afresh: at the start, and when the stream could not go on where it was.
async function readAll() {
  const list = (await get("api/runs")).runs;
  const same = list.length === runs.length && list.every((one, i) => one.path === runs[i].path);
  if (!same) {
    runs = list.map((one) => new Run(one));
    for (const run of runs) run.addEventListener("change", (event) => rowsChanged(run, event.detail));
    focused = 0;
  }
  list.forEach((one, i) => { runs[i].status = one.status; });
  redraw();
  await Promise.all(runs.map((run) => run.load(points())));
  for (const what of details) refresh(what);
  lookCloser();
  await showConfigs(visible());
}

let readAgain = 0;

function readAllInTime() {
  clearTimeout(readAgain);
  readAll().catch(() => { readAgain = setTimeout(readAllInTime, 1500); });
}

async function reset({ run: index, status }) {
  const run = runs[index];
  if (!run) return;
  run.status = status;
  run.detail = null;
  redraw();
  await run.load(points());
  if (index === focused) for (const what of details) refresh(what);
  lookCloser();
  await showConfigs(visible());
}

let closerLook = 0;

// Reads what is zoomed into more finely, once the zooming pauses.
function lookCloser() {
  clearTimeout(closerLook);
  if (!stage.view) return;
  closerLook = setTimeout(() => {
    for (const run of visible()) run.look(stage.from, stage.to, points()).catch(() => {});
  }, 120);
}

// --- wiring

const linkWords = { live: "live", connecting: "reconnecting…", asleep: "asleep" };
link.addEventListener("state", ({ detail }) => {
  byId("link").textContent = linkWords[detail];
  byId("link").className = `link ${detail}`;
});
link.addEventListener("hello", readAllInTime);
link.addEventListener("news", ({ detail }) => runs[detail.run]?.take(detail, points()));
link.addEventListener("reset", ({ detail }) => reset(detail).catch(() => {}));

stage.addEventListener("view", () => {
  lookCloser();
  redraw();
});
stage.addEventListener("hover", redraw);
byId("reset").addEventListener("click", () => stage.reset());
listenToTensorChoices(() => refresh("tensors"));

const smoothing = byId("smoothing");
const showSmoothing = () => {
  const window = smoothingWindow(Number(smoothing.value));
  byId("smoothing-value").textContent = window ? `${window} steps` : "off";
  redraw();
};
smoothing.value = "3";
smoothing.addEventListener("input", showSmoothing);
showSmoothing();

startTheme(byId("theme"), () => {
  redraw();
  redrawDetails();
});
link.open();
