// What all plots share: the steps they show, and the step under the pointer.

export class Stage extends EventTarget {
  constructor() {
    super();
    this.view = null;    // {from, to}; null: everything, as the run goes on
    this.extent = { from: 0, to: 1 };
    this.hover = null;   // a step
    this.pinned = false; // hover stays when the pointer leaves
  }

  get from() { return this.view ? this.view.from : this.extent.from; }
  get to() { return this.view ? this.view.to : this.extent.to; }

  setExtent(from, to) {
    this.extent = { from, to: Math.max(to, from + 1) };
  }

  // Shows [from, to], kept within what there is; all of it shows everything from now on.
  zoom(from, to) {
    const { from: first, to: last } = this.extent;
    const span = Math.max(Math.min(to - from, last - first), 4);
    const start = Math.min(Math.max(from, first), Math.max(last - span, first));
    const all = start <= first && start + span >= last;
    this.view = all ? null : { from: start, to: start + span };
    this.dispatchEvent(new Event("view"));
  }

  reset() {
    this.view = null;
    this.dispatchEvent(new Event("view"));
  }

  // Zooms by `factor` so that `step` stays where it is.
  zoomAround(step, factor) {
    this.zoom(step - (step - this.from) * factor, step + (this.to - step) * factor);
  }

  move(by) {
    if (this.view) this.zoom(this.view.from + by, this.view.to + by);
  }

  point(step) {
    if (this.pinned && step === null) return;
    this.pinned = false;
    this.hover = step;
    this.dispatchEvent(new Event("hover"));
  }

  pin(step) {
    this.hover = step;
    this.pinned = true;
    this.dispatchEvent(new Event("hover"));
  }
}
