// Curves as pictures in a page.
#pragma once

#include <string>
#include <vector>

namespace millwright::app::report {

struct Curve {
  std::string name;   // text, in the legend
  std::string style;  // "main", "second" or "third": a class of the page
  // Points from left to right; where y is not finite the line has a gap.
  std::vector<double> x, y;
  std::vector<double> low, high;  // as many as x: the band in which the numbers lie; or none
  bool dots = false;              // points of their own, not joined
};

struct Plot {
  std::string title;  // text
  std::vector<Curve> curves;
  bool logarithmic = false;  // values that are not positive are left out
};

// A heading, the picture (SVG with axes) and a legend, as HTML. What holds no finite point is said
// in words.
std::string RenderPlot(const Plot& plot);

// Up to about `count` round numbers (1, 2 or 5 times a power of ten apart) in [low, high].
std::vector<double> RoundTicks(double low, double high, int count);

}  // namespace millwright::app::report
