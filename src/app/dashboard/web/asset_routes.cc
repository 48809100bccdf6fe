#include "app/dashboard/web/asset_routes.h"

#include "app/dashboard/web/assets.h"

namespace millwright::app::web {
namespace {

std::string TypeOf(std::string_view name) {
  if (name.ends_with(".html")) return "text/html; charset=utf-8";
  if (name.ends_with(".css")) return "text/css; charset=utf-8";
  if (name.ends_with(".js")) return "text/javascript; charset=utf-8";
  if (name.ends_with(".svg")) return "image/svg+xml";
  return "application/octet-stream";
}

}  // namespace

void AddAssets(Routes& routes) {
  for (const Asset& asset : Assets()) {
    const std::string path = asset.name == "index.html" ? "/" : "/" + std::string(asset.name);
    routes[path] = [asset](const Parameters&) {
      return Reply{200, TypeOf(asset.name), std::string(asset.bytes)};
    };
  }
}

}  // namespace millwright::app::web
