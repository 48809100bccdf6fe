// The box beside the crosshair, with the values at its step.
import { count } from "./format.js";
import { element } from "./plot.js";

function row(plot, line, index) {
  const item = element("div", "tip-row");
  const swatch = element("i");
  swatch.style.background = line.color;
  const value = line.mean[index];
  const low = line.low?.[index];
  const range = low !== undefined && low !== null && `${plot.format(low)} – ${plot.format(line.high[index])}`;
  let text = value === null ? "not a finite number" : plot.format(value);
  if (line.band) text = range;
  else if (range && low !== line.high[index]) text += ` (${range})`;
  item.append(swatch, element("span", "", line.name), element("b", "", text));
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
                           ...rows.map(({ line, row: index }) => row(plot, line, index)));
  const width = plot.tip.offsetWidth;
  const left = x + 14 + width > plot.area.clientWidth ? x - width - 14 : x + 14;
  plot.tip.style.left = `${Math.max(left, 0)}px`;
}
