// A plot on a canvas: axes, lines or stacked areas, a crosshair with values, and zooming.
import { drawAxes, labelWidth, padding, preparePen } from "./axes.js";
import { short } from "./format.js";
import { Scale, nearest } from "./scale.js";
import { color } from "./theme.js";

export function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

// A line is {name, color, step, mean, low, high, smooth, points, marks, band, legend}: `smooth` is what
// is drawn boldly, `points` draws circles, `marks` shows rows without a number, `band` draws what lies
// from low to high and nothing else, `legend` is its name there. Of `stacked` lines each stands on those before it.
export class Plot {
  constructor(stage, { title, note = "", lines, format, axis = short, height = 180, stacked = false, log = false,
                       canLog = true, fromZero = false }) {
    Object.assign(this, { stage, title, lines, format, axis, stacked, log, fromZero });
    this.selection = null;
    this.pinched = false;  // two fingers are on it
    this.root = element("figure", "card plot");
    const caption = element("figcaption", "head");
    caption.append(element("h3", "", title), element("span", "note", note));
    this.legend = element("span", "legend");
    if (canLog) caption.append(this.logButton());
    caption.append(this.legend);
    this.area = element("div", "area");
    this.area.style.minHeight = `${height}px`;
    this.canvas = element("canvas");
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    this.tip = element("div", "tip");
    this.tip.hidden = true;
    this.empty = element("div", "empty");
    this.area.append(this.canvas, this.empty, this.tip);
    this.root.append(caption, this.area);
    new ResizeObserver(() => this.draw()).observe(this.area);
  }

  logButton() {
    const button = element("button", "toggle", "log");
    button.type = "button";
    button.title = "Logarithmic axis";
    const show = () => button.setAttribute("aria-pressed", String(this.log));
    button.addEventListener("click", () => {
      this.log = !this.log;
      show();
      this.draw();
    });
    show();
    return button;
  }

  draw() {
    const pen = preparePen(this.canvas, this.area);
    if (!pen) return;
    const { clientWidth: width, clientHeight: height } = this.area;
    this.shown = this.lines().filter((line) => line.step.length);
    this.prepareStack();
    const range = this.valueRange();
    this.empty.textContent = range ? "" : "No figures yet";
    this.showLegend();
    if (!range) {
      this.x = null;
      this.tip.hidden = true;
      this.canvas.setAttribute("aria-label", `${this.title}: no figures yet`);
      return;
    }
    this.y = new Scale(...range, height - padding.bottom, padding.top, this.log && range[0] > 0);
    const yTicks = this.y.ticks(Math.max(2, Math.floor((height - 32) / 34)))
      .map((at) => ({ at, label: this.axis(at) }));
    const left = labelWidth(pen, yTicks);
    this.x = new Scale(this.stage.from, this.stage.to, left, width - padding.right);
    const xTicks = this.x.ticks(Math.max(2, Math.floor((this.x.end - left) / 80)))
      .filter((step) => Number.isInteger(step) && this.x.at(step) > left + 12).map((at) => ({ at, label: short(at) }));
    drawAxes(pen, { x: this.x, y: this.y, xTicks, yTicks, xName: "step" }, width, height);
    pen.save();
    pen.beginPath();
    pen.rect(left - 4, 0, width - padding.right - left + 8, height - padding.bottom + 1);
    pen.clip();
    if (this.stacked) this.drawStack(pen);
    else for (const line of this.shown) this.drawLine(pen, line, height);
    this.drawSelection(pen, height);
    pen.restore();
    this.drawHover(pen, height);
    this.describe();
  }

  // Turns each stacked line into the sum up to it.
  prepareStack() {
    if (!this.stacked || !this.shown.length) return;
    const sums = new Array(this.shown[0].step.length).fill(0);
    for (const line of this.shown) {
      line.base = [...sums];
      line.top = line.mean.map((value, i) => (sums[i] += value ?? 0));
    }
  }

  // The lowest and highest value in view, with some air; null: there is none.
  valueRange() {
    let low = Infinity;
    let high = -Infinity;
    const take = (value) => {
      if (value === null || value === undefined || (this.log && value <= 0)) return;
      low = Math.min(low, value);
      high = Math.max(high, value);
    };
    for (const line of this.shown) {
      const [first, last] = this.rowsInView(line);
      for (let i = first; i < last; ++i) {
        if (this.stacked) take(line.top[i]);
        else for (const values of [line.mean, line.low, line.high]) if (values) take(values[i]);
      }
    }
    if (low > high) return null;
    if (this.log) return low === high ? [low / 2, high * 2] : [low / 1.05, high * 1.05];
    if (this.stacked || (this.fromZero && low > 0)) low = 0;
    const air = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
    return [low === 0 ? 0 : low - air, high + air];
  }

  // [first, last) of a line's rows that are in view, and one on either side.
  rowsInView(line) {
    const { from, to } = this.stage;
    let first = Math.max(nearest(line.step, from), 0);
    if (first > 0 && line.step[first] >= from) --first;
    let last = nearest(line.step, to) + 1;
    if (last < line.step.length && line.step[last - 1] <= to) ++last;
    return [first, last];
  }

  drawLine(pen, line, height) {
    const [first, last] = this.rowsInView(line);
    const bold = line.smooth ?? line.mean;
    if (line.low) this.drawBand(pen, line, first, last);
    if (line.band) return;
    if (line.smooth && line.smooth !== line.mean) {
      pen.globalAlpha = 0.28;
      this.stroke(pen, line, line.mean, first, last, 1);
      pen.globalAlpha = 1;
    }
    if (!line.points) this.stroke(pen, line, bold, first, last, 1.75);
    else this.drawPoints(pen, line, first, last);
    if (line.marks) this.drawMarks(pen, line, first, last, height);
  }

  stroke(pen, line, values, first, last, width) {
    pen.strokeStyle = line.color;
    pen.lineWidth = width;
    pen.lineJoin = "round";
    pen.beginPath();
    let open = false;
    let lone = -1;
    const dots = [];
    for (let i = first; i <= last; ++i) {
      const value = i < last ? values[i] : null;
      if (value === null || (this.log && value <= 0)) {
        if (lone >= 0) dots.push(lone);
        lone = -1;
        open = false;
        continue;
      }
      const x = this.x.at(line.step[i]);
      const y = this.y.at(value);
      if (open) pen.lineTo(x, y);
      else pen.moveTo(x, y);
      lone = open ? -1 : i;
      open = true;
    }
    pen.stroke();
    pen.fillStyle = line.color;
    for (const i of dots) this.dot(pen, line.step[i], values[i], 2);
  }

  dot(pen, step, value, radius) {
    pen.beginPath();
    pen.arc(this.x.at(step), this.y.at(value), radius, 0, 2 * Math.PI);
    pen.fill();
  }

  drawBand(pen, line, first, last) {
    pen.fillStyle = line.color;
    pen.globalAlpha = 0.13;
    pen.beginPath();
    const visible = [];
    for (let i = first; i < last; ++i) {
      if (line.low[i] !== null && !(this.log && line.low[i] <= 0)) visible.push(i);
    }
    for (const i of visible) pen.lineTo(this.x.at(line.step[i]), this.y.at(line.high[i]));
    for (const i of visible.reverse()) pen.lineTo(this.x.at(line.step[i]), this.y.at(line.low[i]));
    pen.fill();
    pen.globalAlpha = 1;
  }

  drawPoints(pen, line, first, last) {
    pen.globalAlpha = 0.5;
    this.stroke(pen, line, line.mean, first, last, 1);
    pen.globalAlpha = 1;
    for (let i = first; i < last; ++i) {
      if (line.mean[i] === null) continue;
      pen.fillStyle = line.color;
      this.dot(pen, line.step[i], line.mean[i], 4);
      pen.fillStyle = color("surface");
      this.dot(pen, line.step[i], line.mean[i], 2.25);
    }
  }

  // Where there was no number, a red mark at the foot.
  drawMarks(pen, line, first, last, height) {
    pen.fillStyle = color("alarm");
    for (let i = first; i < last; ++i) {
      if (line.mean[i] !== null) continue;
      const x = this.x.at(line.step[i]);
      const y = height - padding.bottom;
      pen.beginPath();
      pen.moveTo(x - 4, y);
      pen.lineTo(x + 4, y);
      pen.lineTo(x, y - 8);
      pen.fill();
    }
  }

  drawStack(pen) {
    for (const line of this.shown) {
      const [first, last] = this.rowsInView(line);
      pen.fillStyle = line.color;
      pen.beginPath();
      for (let i = first; i < last; ++i) pen.lineTo(this.x.at(line.step[i]), this.y.at(line.top[i]));
      for (let i = last - 1; i >= first; --i) pen.lineTo(this.x.at(line.step[i]), this.y.at(line.base[i]));
      pen.fill();
    }
  }

  drawSelection(pen, height) {
    if (!this.selection) return;
    const [a, b] = this.selection.map((step) => this.x.at(step));
    pen.fillStyle = color("select");
    pen.fillRect(Math.min(a, b), padding.top, Math.abs(b - a), height - padding.bottom - padding.top);
  }

  drawHover(pen, height) {
    const step = this.stage.hover;
    if (step === null || step < this.stage.from || step > this.stage.to) {
      this.tip.hidden = true;
      return;
    }
    const x = Math.round(this.x.at(step)) + 0.5;
    pen.strokeStyle = color("muted");
    pen.lineWidth = 1;
    pen.setLineDash([3, 3]);
    pen.beginPath();
    pen.moveTo(x, padding.top);
    pen.lineTo(x, height - padding.bottom);
    pen.stroke();
    pen.setLineDash([]);
    for (const { line, row } of this.rowsAt(step)) {
      if (line.band) continue;
      const value = this.stacked ? line.top[row] : (line.smooth ?? line.mean)[row];
      if (value === null || (this.log && value <= 0)) continue;
      pen.fillStyle = line.color;
      this.dot(pen, line.step[row], value, 3);
    }
  }

  // The row of each line that is nearest to `step`, if it is near enough to be meant.
  rowsAt(step) {
    const reach = Math.max((this.stage.to - this.stage.from) / 40, 1);
    return this.shown
      .map((line) => ({ line, row: nearest(line.step, step) }))
      .filter(({ line, row }) => row >= 0 && Math.abs(line.step[row] - step) <= (line.points ? reach : 4 * reach));
  }

  showLegend() {
    const names = this.shown.filter((line) => line.legend);
    const key = names.map((line) => line.legend + line.color).join();
    if (key === this.legendKey) return;
    this.legendKey = key;
    this.legend.replaceChildren(...names.map((line) => {
      const item = element("span", line.points ? "key ring" : "key");
      const swatch = element("i");
      swatch.style.background = swatch.style.borderColor = line.color;
      item.append(swatch, line.legend);
      return item;
    }));
  }

  describe() {
    const words = this.shown.slice(0, 4).map((line) => {
      const values = line.mean.filter((value) => value !== null);
      return values.length ? `${line.name} ${this.format(values[values.length - 1])}` : line.name;
    });
    this.canvas.setAttribute("aria-label", `${this.title}: ${words.join(", ")}`);
  }
}
