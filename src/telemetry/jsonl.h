// The sink that writes metrics.jsonl: an event is a line of JSON.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "telemetry/event.h"

namespace millwright::telemetry {

// Appends one line per event. Each line reaches the operating system before Write returns.
class JsonlSink : public Sink {
 public:
  // Opens `path` for appending, creating it if it is missing. A last line that was cut off by a
  // crash is ended with a newline, so that it does not swallow the next event.
  static Result<std::unique_ptr<JsonlSink>> Open(const std::string& path);

  ~JsonlSink() override;
  JsonlSink(const JsonlSink&) = delete;
  JsonlSink& operator=(const JsonlSink&) = delete;

  // Fails with the file's name and the system's reason. A line that was written in part is ended
  // before the next one.
  Status Write(const Event& event) override;

 private:
  JsonlSink(std::string path, int fd, bool cut) : path_(std::move(path)), fd_(fd), cut_(cut) {}

  std::string path_;
  int fd_;
  bool cut_;  // the file does not end with a newline
};

}  // namespace millwright::telemetry
