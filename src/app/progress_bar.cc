#include "app/progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

namespace millwright::app {

ProgressBar::ProgressBar(std::string unit, double scale)
    : unit_(std::move(unit)), scale_(scale), terminal_(::isatty(STDERR_FILENO) != 0) {}

ProgressBar::~ProgressBar() {
  if (drawn_) fmt::print(stderr, "\r\033[K");
}

void ProgressBar::Show(int64_t done, int64_t total, std::string_view note) {
  constexpr double kPauseMs = 100;
  constexpr int kWidth = 30;
  const double ms = watch_.ms();
  if (!terminal_ || ms < next_ms_) return;
  next_ms_ = ms + kPauseMs;
  drawn_ = true;
  const double amount = static_cast<double>(done) / scale_;
  const std::string speed =
      fmt::format("{:.1f} {}/s{}{}", amount / ms * 1000, unit_, note.empty() ? "" : ", ", note);
  if (total <= 0) {
    fmt::print(stderr, "\r\033[K{:.1f} {}, {}", amount, unit_, speed);
  } else {
    const double share = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    fmt::print(stderr, "\r\033[K[{:<{}}] {:3.0f}%  {:.1f} of {:.1f} {}, {}",
               std::string(static_cast<size_t>(share * kWidth), '='), kWidth, share * 100, amount,
               static_cast<double>(total) / scale_, unit_, speed);
  }
  std::fflush(stderr);
}

}  // namespace millwright::app
