#include "train/residency.h"

#include <map>
#include <tuple>
#include <utility>

#include "train/overlap.h"

namespace millwright::train {
namespace {

using runtime::OperandFlow;
using runtime::OperandSource;

class Finder {
 public:
  Finder(const Plan& plan, const kernels::KernelSpec& spec, const std::set<std::string>& host_reads)
      : spec_(spec), host_reads_(host_reads), between_(plan.forward.size()) {
    for (const auto* list : {&plan.forward, &plan.backward}) {
      for (const PlanStep& step : *list) steps_.push_back(&step);
    }
  }

  Residency Find() && {
    do {
      Play();
    } while (BanDifferences());
    KeepWhatNobodyReads();
    const auto middle = flows_.begin() + static_cast<int64_t>(between_);
    return {{flows_.begin(), middle}, {middle, flows_.end()}};
  }

 private:
  // An output of a step.
  using Product = std::pair<size_t, std::string>;
  using LaunchKey = std::tuple<kernels::KernelId, int64_t, model::TensorRole>;

  static LaunchKey KeyOf(const PlanStep& step) { return {step.kernel, step.layer, step.parameter}; }

  // The lists once through, following what each place on the device holds.
  void Play() {
    flows_.assign(steps_.size(), {});
    places_.clear();
    contents_.clear();
    products_.clear();
    read_.clear();
    for (size_t i = 0; i < steps_.size(); ++i) {
      if (i == between_) HostWrites("dx_final");
      if (steps_[i]->kind == StepKind::kKernel) {
        Inputs(i);
        Outputs(i);
        continue;
      }
      for (const auto& [role, buffer] : steps_[i]->buffers) HostReads(buffer);
      for (const std::string& buffer : WrittenBuffers(*steps_[i], spec_)) HostWrites(buffer);
    }
  }

  void Inputs(size_t i) {
    const PlanStep& step = *steps_[i];
    for (const kernels::Operand& operand : kernels::Get(step.kernel).operands(spec_).inputs) {
      if (operand.weight) continue;
      const std::string& buffer = step.buffers.at(operand.name);
      const OperandSource here{step.kernel, operand.name};
      const auto place = places_.find(buffer);
      const bool there = place != places_.end() && place->second.kernel != step.kernel &&
                         !banned_.contains({KeyOf(step), operand.name});
      if (there) {
        flows_[i].from[operand.name] = place->second;
      } else {
        HostReads(buffer);
      }
      if (place != places_.end() && place->second == here) continue;
      Vacate(here);
      if (place == places_.end()) Occupy(here, buffer);
    }
  }

  void Outputs(size_t i) {
    const PlanStep& step = *steps_[i];
    for (const kernels::Operand& operand : kernels::Get(step.kernel).operands(spec_).outputs) {
      const std::string& buffer = step.buffers.at(operand.name);
      HostWrites(buffer);
      const OperandSource here{step.kernel, operand.name};
      Vacate(here);
      Occupy(here, buffer);
      products_[buffer] = {i, operand.name};
    }
  }

  void HostReads(const std::string& buffer) {
    const auto product = products_.find(buffer);
    if (product != products_.end()) read_.insert(product->second);
  }
  void HostWrites(const std::string& buffer) {
    products_.erase(buffer);
    const auto place = places_.find(buffer);
    if (place != places_.end()) Vacate(place->second);
  }

  void Occupy(const OperandSource& place, const std::string& buffer) {
    places_[buffer] = place;
    contents_[place] = buffer;
  }
  void Vacate(const OperandSource& place) {
    const auto held = contents_.find(place);
    if (held == contents_.end()) return;
    places_.erase(held->second);
    contents_.erase(held);
  }

  // Calls visit(first, i) for every step that is the launch of an earlier one.
  template <class Visit>
  void ForEachRepetition(const Visit& visit) const {
    std::map<LaunchKey, size_t> first;
    for (size_t i = 0; i < steps_.size(); ++i) {
      if (steps_[i]->kind != StepKind::kKernel) continue;
      const auto [known, is_new] = first.try_emplace(KeyOf(*steps_[i]), i);
      if (!is_new) visit(known->second, i);
    }
  }

  // Inputs that two steps of one launch would take from different places come from the host.
  bool BanDifferences() {
    const size_t before = banned_.size();
    ForEachRepetition([this](size_t first, size_t again) {
      for (const auto& [one, other] : {std::pair{first, again}, {again, first}}) {
        for (const auto& [operand, source] : flows_[one].from) {
          const auto same = flows_[other].from.find(operand);
          if (same != flows_[other].from.end() && same->second == source) continue;
          banned_.insert({KeyOf(*steps_[one]), operand});
        }
      }
    });
    return banned_.size() != before;
  }

  void KeepWhatNobodyReads() {
    for (size_t i = 0; i < steps_.size(); ++i) {
      const PlanStep& step = *steps_[i];
      if (step.kind != StepKind::kKernel) continue;
      for (const kernels::Operand& operand : kernels::Get(step.kernel).operands(spec_).outputs) {
        const bool read = read_.contains({i, operand.name}) ||
                          host_reads_.contains(step.buffers.at(operand.name));
        if (!read) flows_[i].stays.insert(operand.name);
      }
    }
    ForEachRepetition([this](size_t first, size_t again) {
      for (const auto& [one, other] : {std::pair{first, again}, {again, first}}) {
        std::erase_if(flows_[one].stays, [&kept = flows_[other].stays](const auto& name) {
          return !kept.contains(name);
        });
      }
    });
  }

  const kernels::KernelSpec& spec_;
  const std::set<std::string>& host_reads_;
  size_t between_;  // the first step of the backward list
  std::vector<const PlanStep*> steps_;
  std::vector<OperandFlow> flows_;
  std::set<std::pair<LaunchKey, std::string>> banned_;
  // While the lists are played:
  std::map<std::string, OperandSource> places_;    // by buffer
  std::map<OperandSource, std::string> contents_;  // the buffer at a place
  std::map<std::string, Product> products_;        // what a buffer holds, if a kernel has made it
  std::set<Product> read_;                         // by the host
};

}  // namespace

Residency FindResidency(const Plan& plan, const kernels::KernelSpec& spec,
                        const std::set<std::string>& host_reads) {
  return Finder(plan, spec, host_reads).Find();
}

}  // namespace millwright::train
