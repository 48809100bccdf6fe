// How the elements of a tensor are spread: over the steps as bands, and at one step as bars.
import * as format from "./format.js";
import { HistogramBars } from "./histogram_bars.js";
import { get } from "./link.js";
import { Plot } from "./plot.js";
import { listen } from "./plot_input.js";
import { nearest } from "./scale.js";
import { color, runColor } from "./theme.js";

const byId = (id) => document.getElementById(id);
const most = 150;  // looks at a tensor

// From the outermost to the innermost.
const bands = [["all", 0, 1], ["90%", 0.05, 0.95], ["the middle half", 0.25, 0.75]];

// The value below which the share `q` of the elements lies; those of a part count as spread evenly in it.
export function quantile({ low, high, counts }, q) {
  const wanted = q * counts.reduce((sum, count) => sum + count, 0);
  let below = 0;
  for (let i = 0; i < counts.length; ++i) {
    if (counts[i] > 0 && below + counts[i] >= wanted) {
      return low + ((high - low) * (i + (wanted - below) / counts[i])) / counts.length;
    }
    below += counts[i];
  }
  return high;
}

export class HistogramPanel {
  constructor(stage) {
    this.stage = stage;
    this.run = null;
    this.series = { steps: [], histograms: [] };
    this.plot = new Plot(stage, {
      title: "Spread over the steps", height: 200, canLog: false, format: (value) => format.number(value, 3),
      note: "median; bands: the middle half, 90% and all of its elements", lines: () => this.lines(),
    });
    listen(this.plot);
    this.bars = new HistogramBars();
    byId("histograms").append(this.plot.root, this.bars.root);
    for (const id of ["histograms-tensor", "histograms-of"]) {
      byId(id).addEventListener("change", () => this.show(this.run).catch(() => {}));
    }
  }

  // Reads and shows what is chosen of `run`.
  async show(run) {
    this.run = run;
    if (!run) return;
    const { tensors, tensor, series } = await get("api/histograms", {
      run: run.index, tensor: byId("histograms-tensor").value, of: byId("histograms-of").value, most,
    });
    this.offer(tensors, tensor);
    const { steps, low, high, counts } = series;
    this.series = {
      steps, histograms: steps.map((_, i) => ({ low: low[i], high: high[i], counts: counts[i] })),
    };
    this.columns = this.percentiles();
    this.draw();
  }

  offer(tensors, chosen) {
    const select = byId("histograms-tensor");
    const key = tensors.join();
    if (select.dataset.key !== key) {
      select.dataset.key = key;
      select.replaceChildren(...tensors.map((name) => new Option(name.replace(/\.weight$/, ""), name)));
    }
    select.value = chosen;
    byId("histograms-choices").hidden = !tensors.length;
    byId("histograms-note").textContent =
      tensors.length ? "of at most 4,096 elements, at even distances in the tensor" : "with --tensor-stats-every";
  }

  percentiles() {
    const of = (q) => this.series.histograms.map((histogram) => quantile(histogram, q));
    return { median: of(0.5), bands: bands.map(([name, from, to]) => ({ name, low: of(from), high: of(to) })) };
  }

  lines() {
    const { steps } = this.series;
    if (!this.run || !steps.length) return [];
    const { median, bands: columns } = this.columns;
    const shared = { step: steps, mean: median, color: this.color() };
    return [...columns.map((column) => ({ ...shared, ...column, band: true })), { ...shared, name: "median" }];
  }

  color() {
    return color(runColor(this.run.index));
  }

  // Both plots; the bars are those of the look that is nearest to the crosshair, else the last one.
  draw() {
    this.plot.draw();
    const { steps, histograms } = this.series;
    const at = this.stage.hover === null ? steps.length - 1 : nearest(steps, this.stage.hover);
    if (at < 0) this.bars.show(null, "One look", "");
    else this.bars.show(histograms[at], `At step ${format.count(steps[at])}`, this.color());
  }
}
