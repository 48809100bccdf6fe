// A map of numbers: rows are layers, columns are steps, colour is size.
import { count, number } from "./format.js";
import { element } from "./plot.js";
import { color } from "./theme.js";

const heightWanted = 300;
const bottom = 22;
const font = "11px system-ui, sans-serif";

// From low to high; even in lightness, and told apart by those who see few colours.
const ramp = [[48, 18, 92], [53, 75, 148], [33, 129, 141], [74, 183, 110], [221, 220, 60]];

function mix(share) {
  const place = Math.min(Math.max(share, 0), 1) * (ramp.length - 1);
  const i = Math.min(Math.floor(place), ramp.length - 2);
  const channels = ramp[i].map((from, c) => Math.round(from + (ramp[i + 1][c] - from) * (place - i)));
  return `rgb(${channels.join()})`;
}

export class Heatmap {
  constructor(host) {
    this.area = element("div", "area");
    this.canvas = element("canvas");
    this.canvas.setAttribute("role", "img");
    this.tip = element("div", "tip");
    this.tip.hidden = true;
    this.area.append(this.canvas, this.tip);
    this.scale = element("div", "ramp");
    this.empty = element("p", "empty-note", "Tensors are looked at every so many updates; none yet.");
    host.append(this.area, this.scale, this.empty);
    this.map = null;
    new ResizeObserver(() => this.draw()).observe(host);
    this.canvas.addEventListener("pointermove", (event) => this.point(event));
    this.canvas.addEventListener("pointerleave", () => { this.tip.hidden = true; });
  }

  // `map` is {steps, rows, values}; `counts` of elements: anything above zero is an alarm.
  show(map, counts) {
    this.map = map && map.steps.length ? map : null;
    this.counts = counts;
    this.empty.hidden = this.map !== null;
    this.area.hidden = this.scale.hidden = this.map === null;
    if (!this.map) return;
    const values = map.values.flat().filter((value) => value !== null && (counts || value > 0));
    this.low = Math.min(...values);
    this.high = Math.max(...values);
    this.area.style.height = `${map.rows.length * this.rowHeight() + bottom}px`;
    this.showScale(values.length > 0);
    this.draw();
  }

  rowHeight() {
    return Math.min(Math.max(Math.floor(heightWanted / this.map.rows.length), 7), 24);
  }

  showScale(any) {
    if (this.counts) {
      this.scale.replaceChildren(element("span", "", this.high > 0 ? "red: some" : "none anywhere"));
      return;
    }
    const bar = element("i");
    bar.style.background = `linear-gradient(90deg, ${ramp.map((c) => `rgb(${c.join()})`).join()})`;
    this.scale.replaceChildren(element("span", "", any ? number(this.low, 3) : "0"), bar,
                               element("span", "", any ? number(this.high, 3) : "0"));
  }

  // By logarithm where the values span more than a decade.
  share(value) {
    if (this.high <= this.low) return 0.5;
    if (this.low > 0 && this.high / this.low > 10) {
      return Math.log(Math.max(value, this.low) / this.low) / Math.log(this.high / this.low);
    }
    return (value - this.low) / (this.high - this.low);
  }

  fill(value) {
    if (value === null) return color("grid");
    if (this.counts) return value > 0 ? color("alarm") : color("calm");
    return mix(this.share(value));
  }

  draw() {
    if (!this.map || !this.area.clientWidth) return;
    const width = this.area.clientWidth;
    const height = this.area.clientHeight;
    const ratio = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    const pen = this.canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.font = font;
    const { steps, rows, values } = this.map;
    this.left = 12 + Math.ceil(Math.max(...rows.map((row) => pen.measureText(row).width)));
    this.cell = (width - this.left) / steps.length;
    const tall = this.rowHeight();
    rows.forEach((_, r) => steps.forEach((__, c) => {
      pen.fillStyle = this.fill(values[r][c]);
      const x = Math.round(this.left + c * this.cell);
      pen.fillRect(x, r * tall, Math.round(this.left + (c + 1) * this.cell) - x - (this.cell > 6 ? 1 : 0), tall - 1);
    }));
    this.drawLabels(pen, tall, width);
    this.canvas.setAttribute("aria-label", `${rows.length} rows, steps ${steps[0]} to ${steps[steps.length - 1]}`);
  }

  drawLabels(pen, tall, width) {
    const { steps, rows } = this.map;
    pen.fillStyle = color("muted");
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    const every = Math.ceil(13 / tall);
    rows.forEach((row, r) => {
      if (r % every === 0) pen.fillText(row, this.left - 7, (r + 0.5) * tall);
    });
    pen.textBaseline = "top";
    const y = rows.length * tall + 6;
    pen.textAlign = "left";
    pen.fillText(`step ${count(steps[0])}`, this.left, y);
    if (steps.length > 1) {
      pen.textAlign = "right";
      pen.fillText(count(steps[steps.length - 1]), width, y);
    }
  }

  point(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = event.clientX - box.left;
    const column = Math.floor((x - this.left) / this.cell);
    const row = Math.floor((event.clientY - box.top) / this.rowHeight());
    const value = this.map?.values[row]?.[column];
    this.tip.hidden = value === undefined;
    if (value === undefined) return;
    this.tip.replaceChildren(
      element("div", "tip-head", `${this.map.rows[row]}, step ${count(this.map.steps[column])}`),
      element("div", "tip-row", value === null ? "not told" : number(value)));
    const left = x + 14 + this.tip.offsetWidth > this.area.clientWidth ? x - this.tip.offsetWidth - 14 : x + 14;
    this.tip.style.left = `${Math.max(left, 0)}px`;
    this.tip.style.top = `${event.clientY - box.top + 10}px`;
  }
}
