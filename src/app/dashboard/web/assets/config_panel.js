// The settings of one run, or of several side by side.
import { get } from "./link.js";
import { element } from "./plot.js";

const byId = (id) => document.getElementById(id);
let shown = [];  // [{name, flat}] of the runs on the page

// {"model.dim": "288", ...} of nested settings.
function flatten(value, prefix = "", into = {}) {
  if (value !== null && typeof value === "object" && !Array.isArray(value)) {
    for (const [key, inner] of Object.entries(value)) flatten(inner, prefix ? `${prefix}.${key}` : key, into);
  } else if (prefix) {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    into[prefix] = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  }
  return into;
}

// run.json keeps the flags in `settings`; they come first.
function flattenSettings(run) {
  const { settings = {}, ...others } = run ?? {};
  return { ...flatten(settings), ...flatten(others) };
}

function draw() {
  const several = shown.length > 1;
  byId("differences-label").hidden = !several;
  const keys = [...new Set(shown.flatMap(({ flat }) => Object.keys(flat)))];
  const differs = (key) => new Set(shown.map(({ flat }) => flat[key] ?? "")).size > 1;
  const wanted = several && byId("differences").checked ? keys.filter(differs) : keys;
  if (!wanted.length) {
    byId("config").replaceChildren(
      element("p", "empty-note", keys.length ? "The settings are the same." : "No settings yet."));
    return;
  }
  const table = element("table", "settings");
  if (several) {
    const head = table.createTHead().insertRow();
    head.append(element("th"), ...shown.map(({ name }) => element("th", "", name)));
  }
  const body = table.createTBody();
  for (const key of wanted) {
    const row = body.insertRow();
    if (several && differs(key)) row.className = "differs";
    const title = element("th", "", key);
    title.scope = "row";
    row.append(title, ...shown.map(({ flat }) => element("td", "", flat[key] ?? "–")));
  }
  byId("config").replaceChildren(table);
}

export async function showConfigs(runs) {
  const configs = await Promise.all(runs.map((run) => get("api/config", { run: run.index })));
  shown = configs.map(({ settings, machine, host }, i) => ({
    name: runs[i].name,
    flat: { ...flattenSettings(settings), ...flatten(machine ?? {}, "machine"), ...(host ? { host } : {}) },
  }));
  draw();
}

byId("differences").addEventListener("change", draw);
