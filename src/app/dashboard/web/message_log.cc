#include "app/dashboard/web/message_log.h"

#include <fmt/format.h>

#include <charconv>

namespace millwright::app::web {

MessageLog::MessageLog(const WakePipe& wake, std::string session, size_t capacity,
                       size_t most_bytes)
    : wake_(wake), session_(std::move(session)), capacity_(capacity), most_bytes_(most_bytes) {}

std::string MessageLog::Format(uint64_t number, std::string_view event,
                               std::string_view data) const {
  return fmt::format("id: {}-{}\nevent: {}\ndata: {}\n\n", session_, number, event, data);
}

void MessageLog::Publish(std::string_view event, std::string_view data) {
  {
    const std::lock_guard lock(mutex_);
    messages_.push_back(std::make_shared<const std::string>(Format(newest() + 1, event, data)));
    bytes_ += messages_.back()->size();
    while (messages_.size() > capacity_ || (bytes_ > most_bytes_ && messages_.size() > 1)) {
      bytes_ -= messages_.front()->size();
      messages_.pop_front();
      ++oldest_;
    }
  }
  wake_.Wake();
}

uint64_t MessageLog::Join(std::string_view last_id) const {
  const size_t dash = last_id.rfind('-');
  if (dash == std::string_view::npos || last_id.substr(0, dash) != session_) return 0;
  const std::string_view digits = last_id.substr(dash + 1);
  uint64_t seen = 0;
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), seen);
  if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size()) return 0;
  const std::lock_guard lock(mutex_);
  return seen + 1 >= oldest_ && seen <= newest() ? seen + 1 : 0;
}

MessageLog::Next MessageLog::Get(uint64_t number) const {
  const std::lock_guard lock(mutex_);
  if (number == 0) {
    const uint64_t latest = newest();
    return {std::make_shared<const std::string>("retry: 1000\n" + Format(latest, "hello", "{}")),
            latest + 1, false};
  }
  if (number < oldest_) return {nullptr, 0, true};
  if (number > newest()) return {nullptr, number, false};
  return {messages_[static_cast<size_t>(number - oldest_)], number + 1, false};
}

}  // namespace millwright::app::web
