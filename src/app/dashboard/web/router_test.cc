#include "app/dashboard/web/router.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/dashboard/web/asset_routes.h"
#include "app/dashboard/web/assets.h"

namespace millwright::app::web {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class RouterTest : public testing::Test {
 protected:
  void SetUp() override {
    AddAssets(routes_);
    routes_["/echo"] = [](const Parameters& parameters) {
      std::string text;
      for (const auto& [name, value] : parameters) text += name + "=" + value + ";";
      return Reply{200, "text/plain", text};
    };
    auto router = MakeRouter(routes_);
    if (!router) GTEST_SKIP() << router.error().message;
    router_ = std::move(*router);
  }
  Answer Get(const std::string& target, const std::string& headers = "") {
    return router_->Handle("GET " + target + " HTTP/1.1\r\n" + headers +
                           "Connection: close\r\n\r\n");
  }

  Routes routes_;
  std::unique_ptr<Router> router_;
};

TEST_F(RouterTest, ParametersReachTheRoute) {
  EXPECT_THAT(Get("/echo?b=2%26&a=x+y").response, EndsWith("\r\n\r\na=x y;b=2&;"));
}

TEST_F(RouterTest, EveryResponseCarriesThePolicy) {
  for (const char* target : {"/", "/main.js", "/echo", "/nothing"}) {
    const std::string response = Get(target).response;
    EXPECT_THAT(response, HasSubstr("Content-Security-Policy: default-src 'none'")) << target;
    EXPECT_THAT(response, HasSubstr("Connection: close")) << target;
  }
  EXPECT_THAT(PlainResponse(431), HasSubstr("Content-Security-Policy: default-src 'none'"));
}

TEST_F(RouterTest, OnlyRoutesAreFound) {
  EXPECT_THAT(Get("/").response, StartsWith("HTTP/1.1 200 "));
  for (const char* target : {"/nothing", "/echo/", "/../etc/passwd", "/assets/main.js", "/mainxjs",
                             "/%2e%2e/main.js", "//main.js", "/echo%00"}) {
    EXPECT_THAT(Get(target).response, StartsWith("HTTP/1.1 404 ")) << target;
  }
}

TEST_F(RouterTest, HeadHasNoBody) {
  const std::string response = router_->Handle("HEAD /main.js HTTP/1.1\r\n\r\n").response;
  EXPECT_THAT(response, StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(response, EndsWith("\r\n\r\n"));
}

TEST_F(RouterTest, TheStreamIsHandedOver) {
  const Answer answer = Get(kEventsPath, "Last-Event-ID: s-7\r\n");
  EXPECT_TRUE(answer.stream);
  EXPECT_EQ(answer.last_event_id, "s-7");
  EXPECT_FALSE(Get("/echo").stream);
  EXPECT_FALSE(router_->Handle("HEAD /events HTTP/1.1\r\n\r\n").stream);
}

// The page must work on a machine that reaches nothing but itself, and under its own policy.
TEST(Assets, NothingIsLoadedFromElsewhereOrInline) {
  ASSERT_FALSE(Assets().empty());
  for (const Asset& asset : Assets()) {
    std::string text(asset.bytes);
    const std::string svg = "xmlns=\"http://www.w3.org/2000/svg\"";
    if (const size_t at = text.find(svg); at != std::string::npos) text.erase(at, svg.size());
    for (const char* banned :
         {"http://", "https://", "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write",
          "eval(", "style=\"", "onclick=\"", "javascript:"}) {
      EXPECT_THAT(text, Not(HasSubstr(banned))) << asset.name;
    }
  }
}

}  // namespace
}  // namespace millwright::app::web
