// Errors as values. Every function that can fail on its input returns a Result.
#pragma once

#include <fmt/core.h>

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace millwright {

// What a caller may do about an error; the command line turns it into an exit code.
enum class ErrorKind {
  kBadInput,  // a flag, file or program is wrong: exit code 2
  kFailed,    // a valid request could not be carried out (disk, device, check): exit code 1
};

// One failure. `message` names the file, tensor, line or flag, what was expected and what was
// found.
struct Error {
  ErrorKind kind = ErrorKind::kFailed;
  std::string message;

  // The same error, with "where: " in front of its message.
  Error In(std::string_view where) const { return {kind, fmt::format("{}: {}", where, message)}; }
};

template <class... Args>
Error BadInput(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorKind::kBadInput, fmt::format(format, std::forward<Args>(args)...)};
}

template <class... Args>
Error Failed(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorKind::kFailed, fmt::format(format, std::forward<Args>(args)...)};
}

// Either a T or an Error. Test with `if (!result)`, then read `*result` or `result.error()`.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return Get(); }
  const T& value() const& { return const_cast<Result*>(this)->Get(); }
  T&& value() && { return std::move(Get()); }
  T& operator*() & { return Get(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(Get()); }
  T* operator->() { return &Get(); }
  const T* operator->() const { return &value(); }

  const Error& error() const {
    assert(!ok());
    return std::get<1>(state_);
  }

 private:
  T& Get() {
    assert(ok());
    return *std::get_if<0>(&state_);
  }
  std::variant<T, Error> state_;
};

// Success or an Error. A default-constructed Result<void> is success.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}  // NOLINT: implicit

  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  const Error& error() const {
    assert(!ok_);
    return error_;
  }

 private:
  Error error_;
  bool ok_ = true;
};

using Status = Result<void>;

}  // namespace millwright
