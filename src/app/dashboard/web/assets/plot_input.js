// Pointer, fingers, wheel and keys on a plot: crosshair, zoom, move.
import { showTip } from "./plot_tip.js";

const clickReach = 4;  // pixels that a click may move
const closest = 20;    // pixels between two fingers that still count

function stepAt(plot, event) {
  const x = event.clientX - plot.canvas.getBoundingClientRect().left;
  return { x, step: Math.round(plot.x.back(Math.min(Math.max(x, plot.x.start), plot.x.end))) };
}

function listenToPointer(plot, stage) {
  const { canvas } = plot;
  let drag = null;  // {x, step, moves}

  canvas.addEventListener("pointerdown", (event) => {
    if (!plot.x || event.button !== 0) return;
    drag = { ...stepAt(plot, event), moves: event.shiftKey, from: stage.from, to: stage.to };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!plot.x) return;
    if (plot.pinched) {
      plot.selection = drag = null;
      return;
    }
    const { x, step } = stepAt(plot, event);
    if (drag?.moves) {
      const perPixel = (drag.to - drag.from) / (plot.x.end - plot.x.start);
      stage.zoom(drag.from - (x - drag.x) * perPixel, drag.to - (x - drag.x) * perPixel);
    } else {
      plot.selection = drag && Math.abs(x - drag.x) > clickReach ? [drag.step, step] : null;
    }
    stage.point(step);
    showTip(plot, x);
  });
  canvas.addEventListener("pointerup", () => {
    const selection = plot.selection;
    plot.selection = null;
    drag = null;
    if (selection) stage.zoom(Math.min(...selection), Math.max(...selection));
  });
  for (const name of ["pointercancel", "pointerleave"]) {
    canvas.addEventListener(name, () => {
      plot.selection = drag = null;
      plot.tip.hidden = true;
      stage.point(null);
    });
  }
  canvas.addEventListener("dblclick", () => stage.reset());
}

// Two fingers zoom and move: the steps that they touched stay under them.
function listenToFingers(plot, stage) {
  const { canvas } = plot;
  const fingers = new Map();  // {x, step} by the pointer's id
  const placeOf = (event) => event.clientX - canvas.getBoundingClientRect().left;

  canvas.addEventListener("pointerdown", (event) => {
    if (!plot.x || event.pointerType !== "touch") return;
    fingers.set(event.pointerId, { x: placeOf(event) });
    for (const finger of fingers.values()) finger.step = plot.x.back(finger.x);
    plot.pinched = fingers.size > 1;
  });
  canvas.addEventListener("pointermove", (event) => {
    const finger = fingers.get(event.pointerId);
    if (!finger || !plot.x) return;
    finger.x = placeOf(event);
    if (fingers.size !== 2) return;
    const [a, b] = [...fingers.values()].sort((one, other) => one.step - other.step);
    const perPixel = (b.step - a.step) / Math.max(b.x - a.x, closest);
    const from = a.step - (a.x - plot.x.start) * perPixel;
    stage.zoom(from, from + (plot.x.end - plot.x.start) * perPixel);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => {
      fingers.delete(event.pointerId);
      // The finger that is lifted last selects nothing.
      if (!fingers.size) plot.pinched = false;
    });
  }
}

// The wheel scrolls the page, unless Ctrl is held (which is also what a pinch on a touchpad says) or
// the plot was clicked before.
function listenToWheel(plot, stage) {
  plot.canvas.addEventListener("wheel", (event) => {
    const meant = event.ctrlKey || event.metaKey || document.activeElement === plot.canvas;
    if (!plot.x || !meant) return;
    event.preventDefault();
    const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 * event.deltaY : event.deltaY;
    stage.zoomAround(stepAt(plot, event).step, Math.exp(Math.max(-200, Math.min(200, pixels)) * 0.004));
  }, { passive: false });
}

function listenToKeys(plot, stage) {
  const moveCrosshair = (by) => {
    const span = stage.to - stage.from;
    const step = Math.round((stage.hover ?? stage.to) + by * Math.max(1, span / 100));
    stage.point(Math.min(Math.max(step, stage.from), stage.to));
    showTip(plot, plot.x.at(stage.hover));
  };
  const actions = {
    ArrowLeft: () => moveCrosshair(-1),
    ArrowRight: () => moveCrosshair(1),
    "+": () => stage.zoomAround(stage.hover ?? (stage.from + stage.to) / 2, 0.5),
    "-": () => stage.zoomAround(stage.hover ?? (stage.from + stage.to) / 2, 2),
    "0": () => stage.reset(),
    Escape: () => stage.reset(),
  };
  plot.canvas.addEventListener("keydown", (event) => {
    if (!plot.x || !actions[event.key] || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    actions[event.key]();
  });
}

export function listen(plot) {
  listenToFingers(plot, plot.stage);
  listenToPointer(plot, plot.stage);
  listenToWheel(plot, plot.stage);
  listenToKeys(plot, plot.stage);
}
