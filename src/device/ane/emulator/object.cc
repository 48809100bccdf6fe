#include "device/ane/emulator/object.h"

#include <mutex>
#include <set>
#include <vector>

namespace millwright::device::ane::emulator {
namespace {

struct Runtime {
  std::mutex mutex;
  std::set<const Object*> objects;  // that live, immortal ones too
  int64_t immortal = 0, misuses = 0, unpooled = 0;
  std::map<std::string, std::unique_ptr<Class>, std::less<>> classes;
  std::set<std::string, std::less<>> selectors;
};

// Never destroyed: objects of other globals may outlive any order of destruction.
Runtime& TheRuntime() {
  static auto& runtime = *new Runtime;
  return runtime;
}

using Pool = std::vector<Object*>;

std::vector<Pool>& Pools() {
  thread_local std::vector<Pool> pools;
  return pools;
}

}  // namespace

Object::Object(const Class* cls, bool immortal) : class_(cls), immortal_(immortal) {
  Runtime& runtime = TheRuntime();
  const std::lock_guard lock(runtime.mutex);
  runtime.objects.insert(this);
  runtime.immortal += immortal_;
}

Object::~Object() {
  Runtime& runtime = TheRuntime();
  const std::lock_guard lock(runtime.mutex);
  runtime.objects.erase(this);
  runtime.immortal -= immortal_;
}

Class::Class(std::string name, Meta) : Object(nullptr, true), name_(std::move(name)) {}

Class::Class(std::string name)
    : Object(nullptr, true), name_(std::move(name)), meta_(new Class("meta " + name_, Meta())) {}

Implementation Class::Find(Selector selector) const {
  const auto method = methods_.find(selector);
  return method == methods_.end() ? nullptr : method->second;
}

Class* FindClass(std::string_view name) {
  Runtime& runtime = TheRuntime();
  const std::lock_guard lock(runtime.mutex);
  const auto found = runtime.classes.find(name);
  return found == runtime.classes.end() ? nullptr : found->second.get();
}

Class* GetClass(std::string_view name) {
  if (Class* found = FindClass(name)) return found;
  auto made = std::make_unique<Class>(std::string(name));
  Runtime& runtime = TheRuntime();
  const std::lock_guard lock(runtime.mutex);
  return runtime.classes.emplace(name, std::move(made)).first->second.get();
}

Selector RegisterSelector(std::string_view name) {
  Runtime& runtime = TheRuntime();
  const std::lock_guard lock(runtime.mutex);
  const std::string& kept = *runtime.selectors.emplace(name).first;
  return reinterpret_cast<Selector>(const_cast<char*>(kept.c_str()));
}

Object* Live(Id id) {
  if (id == nullptr) return nullptr;
  auto* object = reinterpret_cast<Object*>(id);
  Runtime& runtime = TheRuntime();
  const std::lock_guard lock(runtime.mutex);
  if (runtime.objects.contains(object)) return object;
  ++runtime.misuses;
  return nullptr;
}

void Retain(Object* object) {
  if (!object->immortal_) ++object->references_;
}

void Release(Object* object) {
  if (!object->immortal_ && --object->references_ == 0) delete object;
}

Id Autorelease(Object* object) {
  if (object == nullptr) return nullptr;
  if (Pools().empty()) {
    Runtime& runtime = TheRuntime();
    const std::lock_guard lock(runtime.mutex);
    ++runtime.unpooled;
  } else {
    Pools().back().push_back(object);
  }
  return object->id();
}

void* PushPool() {
  Pools().emplace_back();
  return reinterpret_cast<void*>(Pools().size());  // NOLINT(performance-no-int-to-ptr): a handle
}

void PopPool(void* pool) {
  const auto depth = reinterpret_cast<size_t>(pool);
  if (depth == 0) return;
  while (Pools().size() >= depth) {
    const Pool objects = std::move(Pools().back());
    Pools().pop_back();
    for (Object* object : objects) Release(object);
  }
}

ObjectCounts CountObjects() {
  Runtime& runtime = TheRuntime();
  const std::lock_guard lock(runtime.mutex);
  return {static_cast<int64_t>(runtime.objects.size()) - runtime.immortal, runtime.misuses,
          runtime.unpooled};
}

void ForgetMisuses() {
  Runtime& runtime = TheRuntime();
  const std::lock_guard lock(runtime.mutex);
  runtime.misuses = runtime.unpooled = 0;
}

}  // namespace millwright::device::ane::emulator
