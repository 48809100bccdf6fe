// Cuts a stream of text into documents.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace millwright::data {

// Text comes in parts of any size. A separator ends a document; it may lie across parts. Documents
// are handed on in parts, too: `part` gets their text, `end` is called after each that is not
// empty. Without a separator all text is one document.
class DocumentCutter {
 public:
  using Part = std::function<Status(std::string_view text)>;
  using End = std::function<Status()>;

  DocumentCutter(std::string separator, Part part, End end);

  Status Add(std::string_view text);
  // The text is over, and with it its last document.
  Status Finish();

 private:
  Status Emit(std::string_view text);
  Status EndDocument();

  std::string separator_;
  Part part_;
  End end_;
  std::string held_;   // may begin with the beginning of a separator
  bool empty_ = true;  // the document at hand
};

}  // namespace millwright::data
