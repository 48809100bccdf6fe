// How another thread wakes the one that waits in poll().
#pragma once

#include "app/dashboard/web/descriptor.h"
#include "base/result.h"

namespace millwright::app::web {

class WakePipe {
 public:
  static Result<WakePipe> Open();

  // From any thread.
  void Wake() const;
  // Readable after Wake, until Clear.
  int fd() const { return read_.get(); }
  void Clear() const;

 private:
  WakePipe(Descriptor read, Descriptor write) : read_(std::move(read)), write_(std::move(write)) {}

  Descriptor read_, write_;
};

}  // namespace millwright::app::web
