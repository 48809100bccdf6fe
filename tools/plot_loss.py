#!/usr/bin/env python3
"""Draws the loss curve of a run as an SVG: plot_loss.py RUN_DIR OUT.svg [TITLE]. Needs only Python."""
import json
import sys

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 380, 56, 16, 40, 44


def read(run_dir):
    """The last loss of every step, and the validations, as lists of (step, loss)."""
    steps, validations = {}, {}
    with open(f"{run_dir}/metrics.jsonl", encoding="utf-8") as lines:
        for line in lines:
            try:
                event = json.loads(line)
            except json.JSONDecodeError:
                continue  # a last line that was cut off
            if event.get("type") == "step" and event.get("loss") is not None:
                steps[event["step"]] = event["loss"]
            elif event.get("type") == "validation":
                validations[event["step"]] = event["val_loss"]
    return sorted(steps.items()), sorted(validations.items())


def smooth(points, window=20):
    """The mean of the last `window` losses at each step."""
    losses = [loss for _, loss in points]
    return [(step, sum(losses[max(0, i + 1 - window):i + 1]) / len(losses[max(0, i + 1 - window):i + 1]))
            for i, (step, _) in enumerate(points)]


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    steps, validations = read(sys.argv[1])
    if not steps:
        sys.exit(f"{sys.argv[1]}/metrics.jsonl: no step events")
    title = sys.argv[3] if len(sys.argv) == 4 else "loss"
    last = steps[-1][0]
    low = int(min(loss for _, loss in steps))
    high = int(max(loss for _, loss in steps)) + 1
    def at(step, loss):
        x = LEFT + (WIDTH - LEFT - RIGHT) * step / last
        y = TOP + (HEIGHT - TOP - BOTTOM) * (high - loss) / (high - low)
        return f"{x:.1f},{y:.1f}"
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
           f'<text x="{LEFT}" y="22" font-size="15" fill="#222222">{title}</text>']
    for tick in range(low, high + 1):
        y = at(0, tick).split(",")[1]
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="#e4e4e4"/>')
        out.append(f'<text x="{LEFT - 8}" y="{float(y) + 4:.1f}" text-anchor="end" fill="#555555">{tick}</text>')
    for tick in range(0, last + 1, max(1, last // 5)):
        x = at(tick, low).split(",")[0]
        out.append(f'<text x="{x}" y="{HEIGHT - 22}" text-anchor="middle" fill="#555555">{tick}</text>')
    out.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 6}" text-anchor="middle" fill="#555555">micro-steps of 256 tokens</text>')
    line = " ".join(at(*point) for point in steps)
    out.append(f'<polyline points="{line}" fill="none" stroke="#b8cbe6" stroke-width="1"/>')
    line = " ".join(at(*point) for point in smooth(steps))
    out.append(f'<polyline points="{line}" fill="none" stroke="#1f5fa8" stroke-width="2"/>')
    for step, loss in validations:
        x, y = at(step, loss).split(",")
        out.append(f'<circle cx="{x}" cy="{y}" r="4" fill="#c8501e"/>')
        out.append(f'<text x="{float(x) - 8:.1f}" y="{float(y) + 18:.1f}" text-anchor="end" fill="#c8501e">'
                   f'validation {loss:.2f}</text>')
    out.append("</svg>")
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
