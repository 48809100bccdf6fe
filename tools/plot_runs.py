#!/usr/bin/env python3
"""Draws the losses of several runs as one SVG: plot_runs.py OUT.svg TITLE LABEL=RUN_DIR... Needs only Python."""
import sys

from plot_loss import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, read, smooth

COLOURS = ["#222222", "#c8501e", "#1f5fa8", "#2e8b57", "#8a4fbf", "#b8860b", "#5f6b76", "#d0417e"]


def curves(arguments):
    """(label, smoothed points) of every run."""
    result = []
    for argument in arguments:
        label, _, run_dir = argument.partition("=")
        steps, _ = read(run_dir)
        if not steps:
            sys.exit(f"{run_dir}/metrics.jsonl: no step events")
        result.append((label, smooth(steps)))
    return result


def axes(at, low, high, last):
    lines = []
    for tenth in range(int(low * 2), int(high * 2) + 1):
        y = at(0, tenth / 2).split(",")[1]
        lines.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="#e4e4e4"/>')
        lines.append(f'<text x="{LEFT - 8}" y="{float(y) + 4:.1f}" text-anchor="end" fill="#555555">{tenth / 2}</text>')
    for tick in range(0, last + 1, max(1, last // 5)):
        x = at(tick, low).split(",")[0]
        lines.append(f'<text x="{x}" y="{HEIGHT - 22}" text-anchor="middle" fill="#555555">{tick}</text>')
    lines.append(f'<text x="{WIDTH / 2}" y="{HEIGHT - 6}" text-anchor="middle" fill="#555555">'
                 'micro-steps; mean of the last 20 losses</text>')
    return lines


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    runs = curves(sys.argv[3:])
    last = max(points[-1][0] for _, points in runs)
    losses = [loss for _, points in runs for _, loss in points]
    low, high = int(min(losses) * 2) / 2, int(max(losses) * 2) / 2 + 0.5

    def at(step, loss):
        x = LEFT + (WIDTH - LEFT - RIGHT) * step / last
        y = TOP + (HEIGHT - TOP - BOTTOM) * (high - loss) / (high - low)
        return f"{x:.1f},{y:.1f}"

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
           'font-family="sans-serif" font-size="12">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
           f'<text x="{LEFT}" y="22" font-size="15" fill="#222222">{sys.argv[2]}</text>']
    out += axes(at, low, high, last)
    for index, (label, points) in enumerate(runs):
        colour = COLOURS[index % len(COLOURS)]
        # A point in every five: the curve is a mean of twenty.
        line = " ".join(at(*point) for point in points[::5] + points[-1:])
        out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.6"/>')
        y = TOP + 14 + 17 * index
        x = WIDTH - RIGHT - 230
        out.append(f'<line x1="{x}" x2="{x + 22}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="3"/>')
        out.append(f'<text x="{x + 28}" y="{y + 4}" fill="#222222">{label}</text>')
    out.append("</svg>")
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
