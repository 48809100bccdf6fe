#include "app/dashboard/web/watched_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "app/dashboard/web/json_text.h"
#include "app/dashboard/web/status_json.h"
#include "telemetry/surroundings.h"

namespace millwright::app::web {
namespace {

// With more new rows than this, viewers read an overview again instead.
constexpr size_t kMostRowsTold = 500;

// The rows above `told`, one by one; nothing if there are none.
std::string NewRows(std::string_view name, const StepTable& table, int64_t told) {
  const Buckets rows = table.Window(told + 1, StepTable::kLast, kMostRowsTold);
  if (rows.step.empty()) return {};
  return fmt::format("\"{}\":{}", name, JsonBuckets(rows));
}

size_t CountAbove(const StepTable& table, int64_t step) {
  const auto& steps = table.steps();
  return static_cast<size_t>(steps.end() - std::upper_bound(steps.begin(), steps.end(), step));
}

}  // namespace

WatchedRun::WatchedRun(size_t index, std::string name, std::string dir)
    : index_(index), name_(std::move(name)), dir_(std::move(dir)), tail_(dir_ + "/metrics.jsonl") {}

bool WatchedRun::Look(MessageLog& log) {
  auto news = tail_.Poll();
  if (news) {
    const std::unique_lock lock(mutex_);
    another_ |= news->restarted;
    // What was deleted stays in view until there is something else to see.
    if (another_ && news->exists) {
      restarts_ += record_.rewinds() + 1;
      record_ = {};
      another_ = false;
    }
    for (const telemetry::Event& event : news->events) record_.Add(event);
    if (news->more) return true;
  }
  std::string status = Assess(news ? std::string() : news.error().message);
  {
    const std::unique_lock lock(mutex_);
    status_ = std::move(status);
  }
  Tell(log);
  return false;
}

// Only the thread that looks changes the record, so that it may read without the lock.
std::string WatchedRun::Assess(const std::string& trouble) const {
  const auto surroundings = telemetry::LookAround(dir_, record_.watch().config());
  telemetry::RunStatus status = record_.watch().Assess(surroundings);
  const auto alarm = [&status](std::string text) {
    status.findings.insert(status.findings.begin(),
                           {telemetry::Severity::kAlarm, 0, std::move(text)});
  };
  if (!surroundings.exists && status.step > 0) {
    alarm(fmt::format("{}/metrics.jsonl is gone; this is what was in it", dir_));
  }
  if (!trouble.empty()) alarm(trouble);
  return StatusJson(status);
}

WatchedRun::Told WatchedRun::Now() const {
  return {.epoch = epoch(),
          .steps = record_.steps().last_step(),
          .updates = record_.updates().last_step(),
          .validations = record_.validations().last_step(),
          .system = record_.system().last_step(),
          .samples = record_.samples_seen(),
          .log = record_.log_seen(),
          .kernels = record_.kernels() ? record_.kernels()->step : 0,
          .tensors = record_.health().latest() ? record_.health().latest()->step : 0,
          .status = status_};
}

std::string WatchedRun::NewsJson(const Told& now) const {
  std::string tables;
  for (const std::string& rows : {NewRows("steps", record_.steps(), told_.steps),
                                  NewRows("updates", record_.updates(), told_.updates),
                                  NewRows("validations", record_.validations(), told_.validations),
                                  NewRows("system", record_.system(), told_.system)}) {
    if (!rows.empty()) tables += (tables.empty() ? "" : ",") + rows;
  }
  std::vector<std::string> changed;
  if (now.samples != told_.samples) changed.emplace_back("samples");
  if (now.log != told_.log) changed.emplace_back("log");
  if (now.kernels != told_.kernels) changed.emplace_back("kernels");
  if (now.tensors != told_.tensors) changed.emplace_back("tensors");
  return fmt::format("{{\"run\":{},\"epoch\":{},\"status\":{},\"tables\":{{{}}},\"changed\":{}}}",
                     index_, now.epoch, now.status, tables, JsonStrings(changed));
}

void WatchedRun::Tell(MessageLog& log) {
  const Told now = Now();
  if (now.epoch != told_.epoch || CountAbove(record_.steps(), told_.steps) > kMostRowsTold) {
    log.Publish("reset", fmt::format("{{\"run\":{},\"epoch\":{},\"status\":{}}}", index_, now.epoch,
                                     now.status));
  } else if (now != told_) {
    log.Publish("news", NewsJson(now));
  }
  told_ = now;
}

}  // namespace millwright::app::web
