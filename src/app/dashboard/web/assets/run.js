// What the page knows of one run: an overview of all of it, a finer look at what is zoomed into, and
// the rows that came since.
import { get } from "./link.js";

// After so many new rows the overview is read again, so that it stays small.
const mostNewRows = 400;

// Appends rows of a message to a table of the same layout; those that are there already are passed.
function append(table, rows) {
  const last = table.step.length ? table.step[table.step.length - 1] : -1;
  const first = rows.step.findIndex((step) => step > last);
  if (first < 0) return 0;
  const before = table.step.length;
  const added = rows.step.slice(first);
  table.step.push(...added);
  for (const name of new Set([...Object.keys(table.columns), ...Object.keys(rows.columns)])) {
    const column = (table.columns[name] ??= { mean: new Array(before).fill(null) });
    const values = rows.columns[name]?.mean.slice(first) ?? new Array(added.length).fill(null);
    for (const part of [column.mean, column.low, column.high]) part?.push(...values);
  }
  return added.length;
}

export class Run extends EventTarget {
  constructor({ run, name, path, status, epoch }) {
    super();
    Object.assign(this, { index: run, name, path, status, epoch });
    this.visible = true;
    this.overview = null;  // tables by name
    this.detail = null;    // {from, to, tables} of the zoomed view
    this.firstStep = 0;
    this.lastStep = 0;
    this.newRows = 0;
    this.waiting = [];     // messages to take once the overview that is being read is there; null:
                           // none is being read
    this.ticket = 0;       // of the latest overview that was asked for
  }

  // Reads the overview. The latest of several at once wins.
  async load(points) {
    const ticket = ++this.ticket;
    this.waiting ??= [];
    const series = await get("api/series", { run: this.index, points });
    if (ticket !== this.ticket) return;
    this.overview = series.tables;
    this.epoch = series.epoch;
    this.firstStep = series.first_step;
    this.lastStep = series.last_step;
    this.newRows = 0;
    const waiting = this.waiting;
    this.waiting = null;
    for (const message of waiting) this.take(message, points);
    this.changed("rows");
  }

  // Reads the overview, however often that takes.
  reload(points) {
    this.load(points).catch(() => setTimeout(() => this.reload(points), 1500));
  }

  // Reads [from, to] finely.
  async look(from, to, points) {
    const margin = Math.ceil((to - from) / 4);
    const asked = { from: Math.floor(from) - margin, to: Math.ceil(to) + margin };
    const epoch = this.epoch;
    const series = await get("api/series", { run: this.index, ...asked, points: Math.ceil(points * 1.5) });
    if (series.epoch !== epoch) return;
    this.detail = { ...asked, tables: series.tables };
    this.changed("rows");
  }

  // A "news" message.
  take(news, points) {
    if (this.waiting) {
      this.waiting.push(news);
      return;
    }
    if (news.epoch < this.epoch) return;  // said before what was read
    if (news.epoch > this.epoch) {
      this.reload(points);
      return;
    }
    this.status = news.status;
    for (const [name, rows] of Object.entries(news.tables)) {
      this.overview[name] ??= { width: 1, step: [], columns: {} };
      this.newRows += append(this.overview[name], rows);
      if (this.detail) append((this.detail.tables[name] ??= { width: 1, step: [], columns: {} }), rows);
    }
    const steps = news.tables.steps?.step;
    if (steps?.length) {
      this.lastStep = Math.max(this.lastStep, steps[steps.length - 1]);
      if (!this.firstStep) this.firstStep = steps[0];
    }
    this.changed("rows");
    for (const what of news.changed) this.changed(what);
    if (this.newRows > mostNewRows) this.reload(points);
  }

  // The table that shows [from, to] best.
  table(name, from, to) {
    const detail = this.detail;
    if (detail && detail.from <= from && detail.to >= to && detail.tables[name]) return detail.tables[name];
    return this.overview?.[name] ?? null;
  }

  changed(what) {
    this.dispatchEvent(new CustomEvent("change", { detail: what }));
  }
}
