// The box beside the crosshair, with the values at its step.
import { count } from "./format.js";
import { element } from "./plot.js";

// What there is to say of a row: its value, what the steps that it stands for span, the bold line.
function words(plot, line, index) {
  const [value, low, high] = [line.mean, line.low, line.high].map((values) => values?.[index] ?? null);
  const range = `${plot.format(low)} – ${plot.format(high)}`;
  if (line.band) return range;
  if (value === null) return "not a finite number";
  const span = low !== null && low !== high ? ` (${range})` : "";
  const smoothed = line.smooth && line.smooth !== line.mean ? `, smoothed ${plot.format(line.smooth[index])}` : "";
  return plot.format(value) + span + smoothed;
}

// Of a line that has no row at `step`, the row's own is told.
function row(plot, line, index, step) {
  const item = element("div", "tip-row");
  const swatch = element("i");
  swatch.style.background = line.color;
  const own = line.step[index];
  item.append(swatch, element("span", "", own === step ? line.name : `${line.name} at ${count(own)}`), element("b", "", words(plot, line, index)));
  return item;
}

// Shows the values at the stage's step beside pixel `x` of `plot`.
export function showTip(plot, x) {
  const step = plot.stage.hover;
  const rows = plot.x && step !== null ? plot.rowsAt(step) : [];
  plot.tip.hidden = rows.length === 0;
  if (!rows.length) return;
  const exact = rows[0].line.step[rows[0].row];
  plot.tip.replaceChildren(element("div", "tip-head", `step ${count(exact)}`),
                           ...rows.map(({ line, row: index }) => row(plot, line, index, exact)));
  const width = plot.tip.offsetWidth;
  const left = x + 14 + width > plot.area.clientWidth ? x - width - 14 : x + 14;
  plot.tip.style.left = `${Math.max(left, 0)}px`;
}
