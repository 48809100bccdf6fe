// What is looked at of a request before anything is done about it.
#pragma once

#include <string>
#include <string_view>

namespace millwright::app::web {

inline constexpr size_t kLongestHead = 16384;  // bytes
inline constexpr size_t kLongestTarget = 2048;

struct CheckedRequest {
  int refused = 0;      // the status that it is refused with; 0: it is not
  std::string request;  // else, what the router gets
};

// Where the head ends (behind its empty line), or npos: it is not all there.
size_t HeadEnd(std::string_view bytes);

// Checks a head: only GET and HEAD (405), only targets of ours in length (414), only for a host
// whose name cannot be made to point here by someone else (421, see HostIsSafe). The router gets
// the request line and the headers that it has a use for and nothing else, so that no body, range,
// encoding or upgrade is ever asked of it.
CheckedRequest CheckRequest(std::string_view head);

// Guards against DNS rebinding: a page of another site can have its own name resolve to this
// machine and then read what it shows, but it cannot choose what the browser puts into Host. So
// only numeric addresses, "localhost" and this machine's own name are served. `host` may end in a
// port.
bool HostIsSafe(std::string_view host);

}  // namespace millwright::app::web
