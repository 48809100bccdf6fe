// Numbers as people read them.

export const missing = "–";

export function number(value, digits = 4) {
  if (value === null || value === undefined || !Number.isFinite(value)) return missing;
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-3) return value.toExponential(2).replace("e+", "e");
  if (size >= 1000) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(digits)));
}

// Always four decimals, so that a live figure does not jump.
export const loss = (value) => (Number.isFinite(value) ? value.toFixed(value < 100 ? 4 : 1) : missing);

export const count = (value) => (Number.isFinite(value) ? Math.round(value).toLocaleString("en-US") : missing);

export const percent = (value, digits = 0) =>
  Number.isFinite(value) ? `${(100 * value).toFixed(digits)}%` : missing;

export function milliseconds(value) {
  if (!Number.isFinite(value)) return missing;
  if (value >= 10000) return `${(value / 1000).toFixed(1)} s`;
  return `${number(value, 3)} ms`;
}

export function bytes(value) {
  if (!Number.isFinite(value)) return missing;
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; ++unit) value /= 1000;
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

// For axes: 1200 -> "1.2k".
export function short(value) {
  const size = Math.abs(value);
  for (const [factor, letter] of [[1e9, "G"], [1e6, "M"], [1e3, "k"]]) {
    if (size >= factor) return `${Number((value / factor).toPrecision(4))}${letter}`;
  }
  if (size !== 0 && size < 1e-4) return value.toExponential(1).replace(".0e", "e");
  return String(Number(value.toPrecision(4)));
}
