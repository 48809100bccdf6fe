// Ends a text before certain words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace millwright::sample {

// Bytes in, bytes out, up to the first place where one of the texts begins. The end of what has
// arrived is held back as long as it may be the beginning of one of them.
class TextStop {
 public:
  // Empty texts are ignored.
  explicit TextStop(std::vector<std::string> texts);

  // What can be passed on after `bytes` arrived; nothing more once one was found.
  std::string Add(std::string_view bytes);

  // What is left when no more will arrive.
  std::string Finish();

  bool found() const { return found_; }

 private:
  std::string Release(bool more);

  std::vector<std::string> texts_;
  std::string held_;
  bool found_ = false;
};

}  // namespace millwright::sample
