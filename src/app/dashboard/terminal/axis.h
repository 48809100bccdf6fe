// Where an axis begins and ends, and which values it names.
#pragma once

#include <string>
#include <vector>

namespace millwright::app::dashboard {

struct Range {
  double low = 0, high = 1;
  double span() const { return high - low; }
};

// The range that shows the finite ones of `values`, with a margin of 5%. Where few of them lie far
// off the others, without those: the rest would be a flat line. 0 to 1 if there are none.
Range RangeOf(std::vector<double> values);

// At most `most` values of the range at equal distances of 1, 2 or 5 times a power of ten,
// ascending.
std::vector<double> NiceTicks(const Range& range, int most);

// A number in at most seven characters: "4.231", "0.0003", "9.1e-05", "12.3k", "1200".
std::string ShortNumber(double value);
// With as many digits as tell ticks at that distance apart.
std::string TickLabel(double value, double distance);

}  // namespace millwright::app::dashboard
