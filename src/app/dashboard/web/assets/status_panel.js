// The top of the page: how the run is doing, in words and figures.
import * as format from "./format.js";
import { element } from "./plot.js";

const byId = (id) => document.getElementById(id);

const stateKinds = {
  starting: "calm", running: "good", done: "good", interrupted: "calm", stalled: "alarm", "cut off": "alarm",
  failed: "alarm",
};

// [label, value, note] of each tile; without a value it is left out.
function tilesOf(status) {
  const known = (value) => value !== null && value !== undefined;
  const watts = Object.entries(status.watts ?? {});
  return [
    ["Loss", format.loss(status.smoothed_loss), "mean of the last steps"],
    known(status.val_loss) &&
      ["Validation", format.loss(status.val_loss), `best ${format.loss(status.best_val_loss)} at step ${format.count(status.best_val_step)}`],
    ["Speed", known(status.tokens_per_s) ? `${format.count(status.tokens_per_s)} tok/s` : format.missing,
     `${format.milliseconds(status.ms_per_step)} a step`],
    known(status.floor_share) && ["Of the FMA floor", format.percent(status.floor_share), "time at the machine's best rate"],
    ["Gradient norm", format.number(status.grad_norm, 3), known(status.update) ? `update ${format.count(status.update)}` : ""],
    ["Learning rate", format.number(status.lr, 3), ""],
    known(status.rss_bytes) && ["Memory", format.bytes(status.rss_bytes), `peak ${format.bytes(status.peak_rss_bytes)}`],
    known(status.process_cpu) &&
      ["CPU", `${format.number(status.process_cpu, 2)} cores`, `machine ${format.percent(status.machine_cpu)} busy`],
    watts.length > 0 &&
      ["Power", `${format.number(watts.reduce((sum, [, w]) => sum + w, 0), 3)} W`, watts.map(([part]) => part).join(", ")],
  ].filter(Boolean);
}

// Changes texts in place, so that what did not change is not announced or laid out again.
function setTiles(list, tiles) {
  const key = tiles.map(([label]) => label).join();
  if (list.dataset.key !== key) {
    list.dataset.key = key;
    list.replaceChildren(...tiles.map(([label]) => {
      const tile = element("div", "tile");
      tile.append(element("dt", "", label), element("dd", "value"), element("dd", "note"));
      return tile;
    }));
  }
  tiles.forEach(([, value, note], i) => {
    const [, valueCell, noteCell] = list.children[i].children;
    if (valueCell.textContent !== value) valueCell.textContent = value;
    if (noteCell.textContent !== note) noteCell.textContent = note;
  });
}

function setFindings(list, findings) {
  const key = JSON.stringify(findings);
  if (list.dataset.key === key) return;
  list.dataset.key = key;
  list.replaceChildren(...findings.map(({ severity, text }) => {
    const item = element("li", severity);
    item.append(element("b", "", severity), element("span", "", text));
    return item;
  }));
}

export const stateKind = (state) => stateKinds[state] ?? "calm";

// The kind of the worst that is known of a run: "alarm", "warning", "good", "calm".
export function healthOf(status) {
  const severities = (status.findings ?? []).map((finding) => finding.severity);
  if (severities.includes("alarm")) return "alarm";
  const kind = stateKind(status.state);
  return kind !== "alarm" && severities.includes("warning") ? "warning" : kind;
}

export function showStatus(run) {
  const status = run.status ?? {};
  byId("name").textContent = run.name;
  byId("name").title = run.path;
  byId("state").textContent = status.state ?? "";
  byId("state").className = `state ${stateKind(status.state)}`;
  const findings = status.findings ?? [];
  const told = findings.find((finding) => finding.text === status.headline);
  byId("headline").textContent = status.headline ?? "";
  byId("headline").className = `headline ${told ? told.severity : ""}`;
  const share = Math.min(Math.max(status.progress ?? 0, 0), 1);
  const progress = byId("progress");
  progress.hidden = !status.steps;
  progress.setAttribute("aria-valuenow", String(Math.round(100 * share)));
  progress.firstElementChild.style.width = `${100 * share}%`;
  progress.className = `progress ${stateKind(status.state)}`;
  setFindings(byId("findings"), findings.filter((finding) => finding !== told));
  setTiles(byId("tiles"), tilesOf(status));
}

export function titleOf(run) {
  const { findings = [], step, steps, smoothed_loss: loss } = run.status ?? {};
  const alarm = findings.some((finding) => finding.severity === "alarm") ? "⚠ " : "";
  const progress = steps ? `${Math.floor((100 * step) / steps)}%` : `step ${step ?? 0}`;
  return `${alarm}${progress} · loss ${format.loss(loss)} · ${run.name}`;
}
