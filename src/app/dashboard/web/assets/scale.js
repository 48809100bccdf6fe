// Axes: from values to pixels, and where the ticks are.

// About `count` round values in [low, high]: multiples of 1, 2 or 5 times a power of ten.
export function linearTicks(low, high, count) {
  const rough = (high - low) / Math.max(count, 1);
  if (!(rough > 0) || !Number.isFinite(rough)) return [low];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.75);
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; ++k) {
    ticks.push(Number((k * step).toPrecision(12)));
  }
  return ticks;
}

// Powers of ten in [low, high], with 2 and 5 between them where there is room.
export function logTicks(low, high, count) {
  const ticks = [];
  const decades = Math.log10(high / low);
  const between = decades * 3 <= count * 1.5 ? [1, 2, 5] : [1];
  const every = Math.max(1, Math.ceil(decades / count));
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); ++power) {
    if (power % every !== 0) continue;
    for (const factor of between) {
      const tick = Number((factor * 10 ** power).toPrecision(3));
      if (tick >= low * 0.999 && tick <= high * 1.001) ticks.push(tick);
    }
  }
  return ticks.length > 1 ? ticks : linearTicks(low, high, count);
}

// Maps [low, high] onto [start, end], linearly or by logarithm; `back` is the inverse.
export class Scale {
  constructor(low, high, start, end, log = false) {
    Object.assign(this, { low, high, start, end, log });
    this.a = log ? Math.log(low) : low;
    this.b = log ? Math.log(high) : high;
    if (this.b === this.a) this.b = this.a + 1;
  }

  at(value) {
    const v = this.log ? Math.log(value) : value;
    return this.start + ((v - this.a) / (this.b - this.a)) * (this.end - this.start);
  }

  back(pixel) {
    const v = this.a + ((pixel - this.start) / (this.end - this.start)) * (this.b - this.a);
    return this.log ? Math.exp(v) : v;
  }

  ticks(count) {
    return this.log ? logTicks(this.low, this.high, count) : linearTicks(this.low, this.high, count);
  }
}

// The index of the entry of the ascending `steps` that is nearest to `step`; -1: there is none.
export function nearest(steps, step) {
  let low = 0;
  let high = steps.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (steps[middle] < step) low = middle + 1;
    else high = middle;
  }
  if (low > 0 && (low === steps.length || step - steps[low - 1] <= steps[low] - step)) return low - 1;
  return low < steps.length ? low : -1;
}

// An exponential mean over about `window` steps, without the bias to its first value. Holes stay.
export function smooth(steps, values, window) {
  if (!(window > 0)) return values;
  const result = [];
  let sum = 0;
  let weight = 0;
  let last = null;
  for (let i = 0; i < values.length; ++i) {
    if (values[i] === null) {
      result.push(null);
      continue;
    }
    const keep = last === null ? 0 : Math.exp(-(steps[i] - last) / window);
    sum = sum * keep + values[i] * (1 - Math.exp(-1 / window));
    weight = weight * keep + (1 - Math.exp(-1 / window));
    last = steps[i];
    result.push(sum / weight);
  }
  return result;
}
