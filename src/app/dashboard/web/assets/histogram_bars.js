// One histogram as bars: values to the right, the share of the elements upwards.
import { drawAxes, labelWidth, padding, preparePen } from "./axes.js";
import { number, percent, short } from "./format.js";
import { element } from "./plot.js";
import { Scale } from "./scale.js";

const height = 200;
const gap = 1;

export class HistogramBars {
  constructor() {
    this.root = element("figure", "card plot");
    this.title = element("h3", "", "One look");
    const caption = element("figcaption", "head");
    caption.append(this.title, element("span", "note", "share of its elements, by value"));
    this.area = element("div", "area");
    this.area.style.minHeight = `${height}px`;
    this.canvas = element("canvas");
    this.canvas.setAttribute("role", "img");
    this.empty = element("div", "empty");
    this.tip = element("div", "tip");
    this.tip.hidden = true;
    this.area.append(this.canvas, this.empty, this.tip);
    this.root.append(caption, this.area);
    this.histogram = null;
    new ResizeObserver(() => this.draw()).observe(this.area);
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", () => { this.tip.hidden = true; });
  }

  // `histogram` is {low, high, counts}, or null; `title` says of what, `color` is that of its bars.
  show(histogram, title, color) {
    Object.assign(this, { histogram, color });
    this.title.textContent = title;
    this.draw();
  }

  draw() {
    const pen = preparePen(this.canvas, this.area);
    if (!pen) return;
    this.empty.textContent = this.histogram ? "" : "No histogram yet";
    this.canvas.setAttribute("aria-label", this.histogram ? this.title.textContent : "no histogram yet");
    if (!this.histogram) return;
    const { clientWidth: width, clientHeight: tall } = this.area;
    const { low, high, counts } = this.histogram;
    this.total = counts.reduce((sum, count) => sum + count, 0) || 1;
    const most = Math.max(...counts) / this.total;
    this.y = new Scale(0, most * 1.06 || 1, tall - padding.bottom, padding.top);
    const yTicks = this.y.ticks(5).map((at) => ({ at, label: percent(at, most < 0.03 ? 1 : 0) }));
    const left = labelWidth(pen, yTicks);
    // A tensor of equal elements has a histogram without width.
    const air = high > low ? 0 : Math.abs(low) * 0.5 || 1;
    this.x = new Scale(low - air, high + air, left, width - padding.right);
    const xTicks = this.x.ticks(Math.max(2, Math.floor((width - left) / 80)))
      .filter((at) => this.x.at(at) > left + 16).map((at) => ({ at, label: short(at) }));
    drawAxes(pen, { x: this.x, y: this.y, xTicks, yTicks, xName: "value" }, width, tall);
    pen.fillStyle = this.color;
    counts.forEach((count, i) => {
      if (count === 0) return;
      const [from, to] = this.edges(i).map((value) => this.x.at(value));
      const top = this.y.at(count / this.total);
      pen.fillRect(from, top, Math.max(to - from - gap, 1), tall - padding.bottom - top);
    });
  }

  // The values between which part `i` lies.
  edges(i) {
    const { low, high, counts } = this.histogram;
    return [i, i + 1].map((edge) => low + ((high - low) * edge) / counts.length);
  }

  point(event) {
    if (!this.histogram || !this.x) return;
    const x = event.clientX - this.canvas.getBoundingClientRect().left;
    const { low, high, counts } = this.histogram;
    const i = Math.floor(((this.x.back(x) - low) / (high - low)) * counts.length);
    this.tip.hidden = !(counts[i] >= 0);
    if (this.tip.hidden) return;
    const [from, to] = this.edges(i);
    this.tip.replaceChildren(
      element("div", "tip-head", `${number(from, 3)} to ${number(to, 3)}`),
      element("div", "tip-row", `${percent(counts[i] / this.total, 1)} of the elements`));
    const { offsetWidth: width } = this.tip;
    this.tip.style.left = `${Math.max(0, x + 14 + width > this.area.clientWidth ? x - width - 14 : x + 14)}px`;
  }
}
