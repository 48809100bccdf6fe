#include "app/report/svg_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "app/report/html.h"

namespace millwright::app::report {
namespace {

constexpr double kWidth = 460, kHeight = 230;
constexpr double kLeft = 48, kRight = 10, kTop = 8, kBottom = 24;

struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;

  bool empty() const { return low > high; }
  void Add(double value) {
    if (!std::isfinite(value)) return;
    low = std::min(low, value);
    high = std::max(high, value);
  }
  // A range of no width is given some.
  void Widen(double part) {
    const double margin = high > low ? part * (high - low) : std::max(std::abs(high) * 0.05, 1e-12);
    low -= margin;
    high += margin;
  }
};

// From numbers to places in the picture.
class Canvas {
 public:
  explicit Canvas(const Plot& plot) : logarithmic_(plot.logarithmic) {
    for (const Curve& curve : plot.curves) {
      for (size_t i = 0; i < curve.x.size(); ++i) {
        y_.Add(Scaled(curve.y[i]));
        if (!curve.low.empty()) {
          y_.Add(Scaled(curve.low[i]));
          y_.Add(Scaled(curve.high[i]));
        }
        if (std::isfinite(Scaled(curve.y[i]))) x_.Add(curve.x[i]);
      }
    }
    if (empty()) return;
    if (x_.low == x_.high) x_.Widen(0);
    y_.Widen(0.05);
  }

  bool empty() const { return x_.empty() || y_.empty(); }
  bool Has(double y) const { return std::isfinite(Scaled(y)); }
  double X(double x) const {
    return kLeft + (x - x_.low) / (x_.high - x_.low) * (kWidth - kLeft - kRight);
  }
  double Y(double y) const {
    return kHeight - kBottom -
           (Scaled(y) - y_.low) / (y_.high - y_.low) * (kHeight - kTop - kBottom);
  }
  std::vector<double> TicksX() const { return RoundTicks(x_.low, x_.high, 5); }
  std::vector<double> TicksY() const {
    if (!logarithmic_) return RoundTicks(y_.low, y_.high, 6);
    std::vector<double> ticks;
    const double step = std::max(1.0, std::ceil((y_.high - y_.low) / 5));
    for (double power = std::ceil(y_.low); power <= y_.high; power += step) {
      ticks.push_back(std::pow(10.0, power));
    }
    return ticks;
  }

 private:
  double Scaled(double y) const {
    if (!logarithmic_) return y;
    return y > 0 ? std::log10(y) : std::numeric_limits<double>::quiet_NaN();
  }

  bool logarithmic_;
  Range x_, y_;
};

std::string Axes(const Canvas& canvas) {
  std::string svg;
  for (const double y : canvas.TicksY()) {
    const double at = canvas.Y(y);
    svg += fmt::format(
        "<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
        "<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{:.4g}</text>",
        kLeft, kWidth - kRight, at, at, kLeft - 6, at + 4, y);
  }
  for (const double x : canvas.TicksX()) {
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>", canvas.X(x),
                       kHeight - 6, x);
  }
  return svg;
}

std::string Band(const Curve& curve, const Canvas& canvas) {
  std::string there, back;
  for (size_t i = 0; i < curve.low.size(); ++i) {
    if (!canvas.Has(curve.low[i]) || !canvas.Has(curve.high[i])) continue;
    there += fmt::format("{:.1f},{:.1f} ", canvas.X(curve.x[i]), canvas.Y(curve.high[i]));
    back.insert(0, fmt::format("{:.1f},{:.1f} ", canvas.X(curve.x[i]), canvas.Y(curve.low[i])));
  }
  return there.empty() ? "" : fmt::format("<polygon class=\"band\" points=\"{}{}\"/>", there, back);
}

std::string Line(const Curve& curve, const Canvas& canvas) {
  std::string path;
  bool drawing = false;
  for (size_t i = 0; i < curve.x.size(); ++i) {
    const bool here = canvas.Has(curve.y[i]);
    if (here) {
      path += fmt::format("{}{:.1f},{:.1f}", drawing ? "L" : "M", canvas.X(curve.x[i]),
                          canvas.Y(curve.y[i]));
    }
    drawing = here;
  }
  return path.empty() ? "" : fmt::format("<path class=\"curve {}\" d=\"{}\"/>", curve.style, path);
}

std::string Dots(const Curve& curve, const Canvas& canvas) {
  std::string svg;
  for (size_t i = 0; i < curve.x.size(); ++i) {
    if (!canvas.Has(curve.y[i])) continue;
    svg += fmt::format(
        "<circle class=\"dot {}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\"><title>{} {:.4f} at step "
        "{}</title></circle>",
        curve.style, canvas.X(curve.x[i]), canvas.Y(curve.y[i]), Escape(curve.name), curve.y[i],
        curve.x[i]);
  }
  return svg;
}

}  // namespace

std::vector<double> RoundTicks(double low, double high, int count) {
  const double rough = (high - low) / count;
  if (!(rough > 0) || !std::isfinite(rough)) return {};
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= rough) {
      step = factor * power;
      break;
    }
  }
  std::vector<double> ticks;
  for (double n = std::ceil(low / step); n * step <= high; ++n) {
    // Steps such as 0.1 are no exact numbers; a tick is, to nine digits.
    ticks.push_back(std::stod(fmt::format("{:.9g}", n * step)));
  }
  return ticks;
}

std::string RenderPlot(const Plot& plot) {
  const Canvas canvas(plot);
  std::string html = fmt::format("<h2>{}</h2>\n", Escape(plot.title));
  if (canvas.empty()) return html + "<p class=\"quiet\">no numbers yet</p>\n";
  html += fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\">", kWidth, kHeight,
                      Escape(plot.title));
  html += Axes(canvas);
  std::string legend;
  for (const Curve& curve : plot.curves) {
    html += Band(curve, canvas);
    html += curve.dots ? Dots(curve, canvas) : Line(curve, canvas);
    legend += fmt::format("<span class=\"item\"><i class=\"{}\"></i>{}</span>", curve.style,
                          Escape(curve.name));
  }
  return html + fmt::format("</svg>\n<p class=\"legend\">{}</p>\n", legend);
}

}  // namespace millwright::app::report
