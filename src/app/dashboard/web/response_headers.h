// The headers that every response carries.
#pragma once

#include <array>
#include <utility>

namespace millwright::app::web {

// The page loads nothing but its own files, runs no script that is not one of them, and is shown
// in no other page. What it shows changes all the time, so nothing is kept.
inline constexpr std::array<std::pair<const char*, const char*>, 6> kResponseHeaders = {{
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
     "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cache-Control", "no-store"},
}};

}  // namespace millwright::app::web
