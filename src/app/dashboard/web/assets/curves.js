// Which curves the page has, and the lines each draws of the runs.
import * as format from "./format.js";
import { Plot } from "./plot.js";
import { listen } from "./plot_input.js";
import { smooth } from "./scale.js";
import { color, runColor } from "./theme.js";

const phases = [["forward", "forward"], ["backward", "backward"], ["staging", "staging"], ["dw", "dW"],
                ["classifier", "classifier"], ["optimizer", "optimizer"], ["other", "other"]];

const windows = [0, 5, 10, 20, 50, 100, 200, 500, 1000];
export const smoothingWindow = (position) => windows[position] ?? 0;

// The line of a run's column; null if there is no such column.
function lineOf(run, stage, tableName, columnName, options = {}) {
  const table = run.table(tableName, stage.from, stage.to);
  const column = table?.columns[columnName];
  if (!column) return null;
  return {
    name: options.name ?? run.name, color: options.color ?? color(runColor(run.index)), step: table.step,
    mean: column.mean, low: column.low, high: column.high,
    smooth: options.window ? smooth(table.step, column.mean, options.window) : column.mean,
    marks: options.marks, points: options.points, legend: options.legend,
  };
}

// Builds the plots into `host`. `state` has runs() (those to draw), focus() (the run of the tiles) and
// window() (of the smoothing, in steps).
export function makeCurves(host, stage, state) {
  const each = (make) => state.runs().map(make).filter(Boolean);
  const simple = (table, column, options = {}) => () =>
    each((run) => lineOf(run, stage, table, column, { window: state.window() * (options.smooth ?? 0), marks: options.marks }));

  const lossLines = () => [
    ...each((run) => lineOf(run, stage, "steps", "loss",
                            { window: state.window(), marks: true, legend: run.name })),
    ...each((run) => lineOf(run, stage, "validations", "val_loss", {
      points: true, name: `${run.name}, validation`, legend: run === state.focus() && "validation" })),
  ];
  const phaseLines = () => phases.map(([key, name], i) =>
    state.focus() && lineOf(state.focus(), stage, "steps", `phase.${key}`, { name, legend: name, color: color(`phase-${i}`) }))
    .filter((line) => line && line.mean.some((value) => value > 0));

  const plots = [
    new Plot(stage, { title: "Loss", note: "nats", lines: lossLines, format: format.loss, height: 320 }),
    new Plot(stage, { title: "Gradient norm", note: "before clipping", marks: true, format: (v) => format.number(v),
                      lines: simple("updates", "grad_norm", { smooth: 1, marks: true }) }),
    new Plot(stage, { title: "Learning rate", format: (v) => format.number(v), fromZero: true,
                      lines: simple("steps", "lr") }),
    new Plot(stage, { title: "Speed", note: "tokens/s", format: format.count, fromZero: true,
                      lines: simple("steps", "tokens_per_s", { smooth: 1 }) }),
    new Plot(stage, { title: "Time by phase", note: "ms a step", format: format.milliseconds, stacked: true,
                      canLog: false, lines: phaseLines }),
    new Plot(stage, { title: "Memory", note: "resident", format: format.bytes, axis: format.bytes, fromZero: true,
                      lines: simple("system", "rss_bytes") }),
    new Plot(stage, { title: "CPU", note: "cores kept busy", format: (v) => format.number(v, 3), fromZero: true,
                      lines: simple("system", "process_cpu") }),
  ];
  plots[0].root.classList.add("wide");
  for (const plot of plots) listen(plot);
  host.append(...plots.map((plot) => plot.root));
  return plots;
}
