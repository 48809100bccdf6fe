// Following metrics.jsonl while a run writes it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "telemetry/event.h"

namespace millwright::telemetry {

// Reads what was appended since the last look. Whatever happens to the file is an answer, not an
// error: it may not be there yet, be cut short, replaced by another run's, deleted and come back.
//
//   MetricsTail tail(run_dir + "/metrics.jsonl");
//   Metrics metrics;
//   for (;;) {
//     auto news = tail.Poll();
//     if (!news) return news.error();
//     if (news->restarted) metrics = {};
//     for (const Event& event : news->events) metrics.Add(event);
//     if (!news->more) Sleep();
//   }
class MetricsTail {
 public:
  struct News {
    std::vector<Event> events;  // new ones, in the order of the file
    bool exists = false;        // there is a file
    // It is not the file of the last look, or a part of that is gone: forget all that was read.
    // `events` are those of the new file, from its beginning.
    bool restarted = false;
    bool more = false;          // there is more to read at once: a look reads `chunk` bytes at most
    int64_t skipped_lines = 0;  // that were no events, since the last look
  };

  // What a look reads by default stays in a processor's cache while it is taken apart.
  explicit MetricsTail(std::string path, size_t chunk = size_t{256} << 10);
  ~MetricsTail();
  MetricsTail(const MetricsTail&) = delete;
  MetricsTail& operator=(const MetricsTail&) = delete;

  // Fails if the file is there and cannot be read. A line counts when its newline is there. A file
  // that was overwritten in place is recognised where it is shorter, or where the last bytes that
  // were read are others now.
  Result<News> Poll();

  // The beginning of a line that has no end yet.
  std::string_view pending() const { return pending_; }
  // Why the first of the skipped lines since the last restart was no event; empty: none was.
  const std::string& first_reason() const { return first_reason_; }

 private:
  bool Opened(News& news);
  bool SameAsBefore() const;
  Result<std::string> ReadChunk();
  void Restart(News& news);
  void TakeLine(std::string_view line, News& news);

  std::string path_;
  size_t chunk_;
  int fd_ = -1;
  uint64_t device_ = 0, inode_ = 0;  // of fd_
  int64_t offset_ = 0;               // bytes read
  std::string seen_;                 // the last of them
  std::string pending_;
  bool too_long_ = false;  // the line in pending_ is one of too many bytes, which are dropped
  std::string first_reason_;
};

}  // namespace millwright::telemetry
