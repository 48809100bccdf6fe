// The frame of a plot: grid, axis and labels.
import { color } from "./theme.js";

export const padding = { top: 8, right: 14, bottom: 24, left: 44 };
export const font = "11px system-ui, sans-serif";

// Draws the ticks ({at: value, label}) of two scales of a plot of `width` by `height` pixels. `xName` is
// what the lower one counts, in the corner.
export function drawAxes(pen, { x, y, xTicks, yTicks, xName }, width, height) {
  const bottom = height - padding.bottom;
  const right = width - padding.right;
  pen.lineWidth = 1;
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  for (const { at, label } of yTicks) {
    const place = Math.round(y.at(at)) + 0.5;
    line(pen, color("grid"), x.start, place, right, place);
    pen.fillStyle = color("muted");
    pen.fillText(label, x.start - 7, place);
  }
  line(pen, color("axis"), x.start, bottom + 0.5, right, bottom + 0.5);
  pen.textBaseline = "top";
  pen.fillText(xName, x.start - 7, bottom + 7);
  pen.textAlign = "center";
  for (const { at, label } of xTicks) {
    const half = pen.measureText(label).width / 2;
    pen.fillText(label, Math.min(x.at(at), width - half), bottom + 7);
  }
}

function line(pen, style, x1, y1, x2, y2) {
  pen.strokeStyle = style;
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x2, y2);
  pen.stroke();
}

// The width that the labels of `ticks` need on the left.
export function labelWidth(pen, ticks) {
  return Math.max(34, 12 + Math.ceil(Math.max(...ticks.map(({ label }) => pen.measureText(label).width))));
}

// Makes a canvas as large as `area`, and returns a pen that counts in the page's pixels; null: there
// is no room.
export function preparePen(canvas, area) {
  const { clientWidth: width, clientHeight: height } = area;
  if (!width || !height) return null;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.font = font;
  return pen;
}
