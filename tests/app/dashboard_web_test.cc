// The web dashboard as a client sees it: raw bytes over sockets, honest and hostile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "checkpoint/test_folder.h"
#include "telemetry/jsonl.h"
#include "telemetry/surroundings.h"
#include "tests/app/web_client.h"

namespace millwright::app::web {
namespace {

namespace fs = std::filesystem;
using checkpoint::TestFolder;
using millwright::testing::TestServer;
using millwright::testing::WebClient;
using nlohmann::json;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class DashboardWeb : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto router = MakeRouter(no_routes_);
    if (!router) GTEST_SKIP() << router.error().message;
    Write("run", {telemetry::ConfigEvent{.settings = {{"settings", {{"steps", 100}}}}}});
    Write("run", Steps(1, 20));
  }

  std::string Dir(const std::string& run) const { return folder_.File(run); }

  void Write(const std::string& run, const std::vector<telemetry::Event>& events) const {
    fs::create_directories(Dir(run));
    auto sink = telemetry::JsonlSink::Open(Dir(run) + "/metrics.jsonl");
    ASSERT_TRUE(sink.ok()) << sink.error().message;
    for (const auto& event : events) ASSERT_TRUE((*sink)->Write(event).ok());
  }
  static std::vector<telemetry::Event> Steps(int64_t first, int64_t last, float loss = 2) {
    std::vector<telemetry::Event> events;
    for (int64_t step = first; step <= last; ++step) {
      telemetry::StepEvent event{.step = step, .loss = loss, .lr = 1e-3, .ms = 10};
      event.time = telemetry::WallClock();
      events.emplace_back(event);
    }
    return events;
  }

  const Routes no_routes_;
  TestFolder folder_;
};

json GetJson(const TestServer& server, const std::string& target) {
  return json::parse(WebClient::BodyOf(WebClient::Get(server.port(), target)), nullptr, false);
}

// So many looks a twentieth of a second apart are enough for a machine that is busy.
constexpr int kTries = 1200;

// Until the JSON at `target` holds `text`.
bool Becomes(const TestServer& server, const std::string& target, const std::string& text) {
  for (int i = 0; i < kTries; ++i) {
    if (WebClient::Get(server.port(), target).find(text) != std::string::npos) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return false;
}

TEST_F(DashboardWeb, ThePageAndTheNumbersAreServed) {
  const TestServer server({Dir("run")});
  EXPECT_THAT(server.url(), StartsWith("http://127.0.0.1:"));
  EXPECT_THAT(WebClient::Get(server.port(), "/"), HasSubstr("<title>Millwright</title>"));
  ASSERT_TRUE(Becomes(server, "/api/series?run=0", "\"last_step\":20"));
  const json series = GetJson(server, "/api/series?run=0&points=5");
  EXPECT_LE(series["tables"]["steps"]["step"].size(), 6u);
  EXPECT_EQ(series["tables"]["steps"]["columns"]["loss"]["high"][0], 2);
  const json zoomed = GetJson(server, "/api/series?run=0&from=7&to=9");
  EXPECT_EQ(zoomed["tables"]["steps"]["step"], json({7, 8, 9}));
  EXPECT_EQ(GetJson(server, "/api/config?run=0")["settings"]["settings"]["steps"], 100);
  EXPECT_EQ(GetJson(server, "/api/runs")["runs"][0]["status"]["steps"], 100);
}

TEST_F(DashboardWeb, AnEndpointAnswersWhateverIsAskedOfIt) {
  const TestServer server({Dir("run")});
  for (const char* view :
       {"series", "config", "kernels", "tensors", "histograms", "samples", "log"}) {
    const std::string path = std::string("/api/") + view;
    for (const char* query :
         {"?run=0", "?run=0&points=-1&from=x&to=&columns=99999999999999999999&most=-3",
          "?run=0&from=9223372036854775807&to=-9223372036854775808&points=1&measure=%ff&kind=%"
          "00"}) {
      EXPECT_FALSE(GetJson(server, path + query).is_discarded()) << path << query;
      EXPECT_THAT(WebClient::Get(server.port(), path + query), StartsWith("HTTP/1.1 200"));
    }
    for (const char* query : {"", "?run=1", "?run=-1", "?run=x", "?run=0%00", "?run=../run"}) {
      EXPECT_THAT(WebClient::Get(server.port(), path + query),
                  AllOf(StartsWith("HTTP/1.1 404"),
                        EndsWith("\r\n\r\n{\"error\":\"run: expected a number below 1\"}")))
          << path << query;
    }
  }
}

TEST_F(DashboardWeb, NoFileOfTheDiskIsServed) {
  std::ofstream(folder_.File("secret.txt")) << "the secret";
  std::ofstream(Dir("run") + "/secret.txt") << "the secret";
  const TestServer server({Dir("run")});
  for (const std::string target :
       {"/secret.txt", "/run/secret.txt", "/../secret.txt", "/../../../../../../etc/passwd",
        "/%2e%2e/secret.txt", "/..%2fsecret.txt", "/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "//etc/passwd",
        "/..\\secret.txt", "/main.js/../../secret.txt", "/.", "/..", "/metrics.jsonl",
        "/api/../secret.txt", "/api/log?run=0&path=../secret.txt"}) {
    const std::string response = WebClient::Get(server.port(), target);
    EXPECT_THAT(response, Not(HasSubstr("the secret"))) << target;
    EXPECT_THAT(response, Not(HasSubstr("root:"))) << target;
    if (target.find("api/log") == std::string::npos) {
      EXPECT_THAT(response, StartsWith("HTTP/1.1 404")) << target;
    }
  }
  EXPECT_THAT(
      WebClient::Exchange(server.port(), "GET ../secret.txt HTTP/1.1\r\nHost: localhost\r\n\r\n"),
      StartsWith("HTTP/1.1 400"));
}

TEST_F(DashboardWeb, HugeAndBrokenRequestsAreRefused) {
  const TestServer server({Dir("run")});
  const auto exchange = [&server](const std::string& bytes) {
    return WebClient::Exchange(server.port(), bytes);
  };
  const std::string host = "Host: localhost\r\n";
  EXPECT_THAT(
      exchange("GET / HTTP/1.1\r\n" + host + "X: " + std::string(1 << 20, 'x') + "\r\n\r\n"),
      StartsWith("HTTP/1.1 431"));
  EXPECT_THAT(exchange("GET /" + std::string(10000, 'x') + " HTTP/1.1\r\n" + host + "\r\n"),
              StartsWith("HTTP/1.1 414"));
  EXPECT_THAT(
      exchange("POST /api/runs HTTP/1.1\r\n" + host + "Content-Length: 99999999999\r\n\r\n"),
      StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(exchange(std::string("\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 11)),
              StartsWith("HTTP/1.1 400"));
  EXPECT_THAT(exchange("GET / HTTP/1.1\r\n" + host + "Range: bytes=" +
                       [] {
                         std::string ranges = "0-0";
                         for (int i = 0; i < 1000; ++i) ranges += ",0-0";
                         return ranges;
                       }() +
                       "\r\n\r\n"),
              StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(WebClient::Get(server.port(), "/"), StartsWith("HTTP/1.1 200"));
}

TEST_F(DashboardWeb, AnotherSitesNameIsNotServed) {
  const TestServer server({Dir("run")});
  for (const char* host : {"evil.example", "evil.example:8420", "localhost.evil.example"}) {
    const std::string request = std::string("GET /api/runs HTTP/1.1\r\nHost: ") + host + "\r\n\r\n";
    const std::string response = WebClient::Exchange(server.port(), request);
    EXPECT_THAT(response, StartsWith("HTTP/1.1 421")) << host;
    EXPECT_THAT(response, Not(HasSubstr("\"runs\""))) << host;
  }
}

// What is shown to others is said beforehand, and to whom it is not.
TEST_F(DashboardWeb, OthersSeeItOnlyWithAWarning) {
  for (const char* alone : {"127.0.0.1", "localhost", "127.0.0.2"}) {
    EXPECT_EQ(TestServer({Dir("run")}, alone).warning(), "") << alone;
  }
  const TestServer open({Dir("run"), Dir("other")}, "0.0.0.0");
  for (const std::string& word : {std::string("--bind 0.0.0.0"), std::to_string(open.port()),
                                  Dir("run") + ", " + Dir("other"), std::string("password"),
                                  std::string("neither stop nor change"), std::string("ssh -L")}) {
    EXPECT_THAT(open.warning(), HasSubstr(word));
  }
  EXPECT_THAT(open.warning(), Not(HasSubstr("\n")));
}

TEST_F(DashboardWeb, SlowClientsKeepNobodyWaiting) {
  const TestServer server({Dir("run")});
  std::vector<WebClient> slow;
  for (int i = 0; i < 150; ++i) {
    WebClient& client = slow.emplace_back(server.port());
    // Half of them dribble a request, the others ask for much and read nothing.
    client.Send(i % 2 == 0 ? "GET / HTT" : "GET /main.js HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  for (int i = 0; i < 20; ++i) {
    EXPECT_THAT(WebClient::Get(server.port(), "/api/runs"), StartsWith("HTTP/1.1 200"));
  }
}

TEST_F(DashboardWeb, TwoHundredViewersTakeNoThreadsAndAllSeeTheNews) {
  const TestServer server({Dir("run")});
  ASSERT_TRUE(Becomes(server, "/api/series?run=0", "\"last_step\":20"));
  const int threads = millwright::testing::ThreadCount();
  std::vector<WebClient> viewers;
  for (int i = 0; i < 200; ++i)
    viewers.emplace_back(server.port()).Send(millwright::testing::kAskForEvents);
  for (WebClient& viewer : viewers)
    ASSERT_THAT(viewer.ReadUntil("event: hello"), HasSubstr("hello"));
  EXPECT_EQ(millwright::testing::ThreadCount(), threads);
  Write("run", Steps(21, 25, 1.25f));
  for (WebClient& viewer : viewers) {
    EXPECT_THAT(viewer.ReadUntil("\"step\":[21,22,23,24,25]"), HasSubstr("event: news"));
  }
  EXPECT_EQ(millwright::testing::ThreadCount(), threads);
  EXPECT_THAT(WebClient::Get(server.port(), "/"), StartsWith("HTTP/1.1 200"));
}

TEST_F(DashboardWeb, AViewerThatComesBackMissesNothing) {
  const TestServer server({Dir("run")});
  ASSERT_TRUE(Becomes(server, "/api/series?run=0", "\"last_step\":20"));
  std::string last_id;
  {
    WebClient viewer(server.port());
    viewer.Send(millwright::testing::kAskForEvents);
    last_id = WebClient::LastId(viewer.ReadUntil("data: {}\n\n"));
  }
  Write("run", Steps(21, 23));
  ASSERT_TRUE(Becomes(server, "/api/series?run=0", "\"last_step\":23"));
  WebClient again(server.port());
  again.Send("GET /events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: " + last_id + "\r\n\r\n");
  const std::string text = again.ReadUntil("\"step\":[21,22,23]");
  EXPECT_THAT(text, HasSubstr("\"step\":[21,22,23]"));
  EXPECT_THAT(text, Not(HasSubstr("hello")));
}

TEST_F(DashboardWeb, AfterARestartViewersBeginAnew) {
  std::string last_id;
  {
    const TestServer server({Dir("run")});
    WebClient viewer(server.port());
    viewer.Send(millwright::testing::kAskForEvents);
    last_id = WebClient::LastId(viewer.ReadUntil("data: {}\n\n"));
  }
  ASSERT_THAT(last_id, Not(::testing::IsEmpty()));
  const TestServer server({Dir("run")});
  WebClient viewer(server.port());
  viewer.Send("GET /events HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: " + last_id + "\r\n\r\n");
  EXPECT_THAT(viewer.ReadUntil("event: hello"), HasSubstr("hello"));
}

TEST_F(DashboardWeb, AFolderThatGoesAndComesBackIsFollowed) {
  const TestServer server({Dir("run")});
  WebClient viewer(server.port());
  viewer.Send(millwright::testing::kAskForEvents);
  ASSERT_THAT(viewer.ReadUntil("hello"), HasSubstr("hello"));
  ASSERT_TRUE(Becomes(server, "/api/series?run=0", "\"last_step\":20"));
  fs::remove_all(Dir("run"));
  EXPECT_TRUE(Becomes(server, "/api/runs", "metrics.jsonl is gone"));
  EXPECT_EQ(GetJson(server, "/api/series?run=0")["last_step"], 20);
  Write("run", Steps(1, 3, 9));
  const std::string another = "event: reset\ndata: {\"run\":0,\"epoch\":1,";
  EXPECT_THAT(viewer.ReadUntil(another), HasSubstr(another));
  ASSERT_TRUE(Becomes(server, "/api/series?run=0", "\"last_step\":3"));
  const json series = GetJson(server, "/api/series?run=0");
  EXPECT_EQ(series["tables"]["steps"]["columns"]["loss"]["mean"], json({9, 9, 9}));
}

TEST_F(DashboardWeb, AResumeTakesViewersBackToItsState) {
  const TestServer server({Dir("run")});
  ASSERT_TRUE(Becomes(server, "/api/series?run=0", "\"last_step\":20"));
  WebClient viewer(server.port());
  viewer.Send(millwright::testing::kAskForEvents);
  viewer.ReadUntil("hello");
  Write("run", {telemetry::ConfigEvent{.first_step = 10}});
  Write("run", Steps(11, 12, 1));
  EXPECT_THAT(viewer.ReadUntil("event: reset"), HasSubstr("event: reset"));
  EXPECT_TRUE(Becomes(server, "/api/series?run=0", "\"last_step\":12"));
}

TEST_F(DashboardWeb, TroubleIsSaidInWords) {
  const TestServer server({Dir("run")});
  ASSERT_TRUE(Becomes(server, "/api/series?run=0", "\"last_step\":20"));
  WebClient viewer(server.port());
  viewer.Send(millwright::testing::kAskForEvents);
  viewer.ReadUntil("hello");
  Write("run", Steps(21, 21, NAN));
  EXPECT_THAT(viewer.ReadUntil("\"severity\":\"alarm\""), HasSubstr("NaN"));
}

TEST_F(DashboardWeb, RunsAreComparedByTheirNames) {
  Write("a/same", Steps(1, 2));
  Write("b/same", Steps(1, 2));
  const TestServer server({Dir("run"), Dir("a/same"), Dir("b/same"), Dir("not there yet")});
  const json runs = GetJson(server, "/api/runs")["runs"];
  ASSERT_EQ(runs.size(), 4u);
  EXPECT_EQ(runs[0]["name"], "run");
  EXPECT_EQ(runs[1]["name"], Dir("a/same"));
  EXPECT_EQ(runs[3]["name"], "not there yet");
  EXPECT_EQ(GetJson(server, "/api/series?run=3")["last_step"], 0);
}

TEST_F(DashboardWeb, ALongRunIsSummedUpWithoutLosingItsSpike) {
  auto steps = Steps(1, 100000);
  std::get<telemetry::StepEvent>(steps[70000]).loss = 50;
  Write("long", steps);
  const TestServer server({Dir("long")});
  ASSERT_TRUE(Becomes(server, "/api/series?run=0&points=1", "\"last_step\":100000"));
  const std::string response = WebClient::Get(server.port(), "/api/series?run=0&points=500");
  const json loss = json::parse(WebClient::BodyOf(response))["tables"]["steps"]["columns"]["loss"];
  EXPECT_LE(loss["high"].size(), 501u);
  EXPECT_EQ(*std::max_element(loss["high"].begin(), loss["high"].end()), 50);
  const json near = GetJson(server, "/api/series?run=0&from=70001&to=70001")["tables"]["steps"];
  EXPECT_EQ(near["columns"]["loss"]["mean"], json({50}));
}

TEST_F(DashboardWeb, TheRunFolderIsOnlyRead) {
  const auto listing = [this] {
    std::string text;
    for (const auto& entry : fs::recursive_directory_iterator(Dir("run"))) {
      text += entry.path().string() + " " + std::to_string(entry.file_size()) + " " +
              std::to_string(entry.last_write_time().time_since_epoch().count()) + "\n";
    }
    return text;
  };
  const std::string before = listing();
  {
    const TestServer server({Dir("run")});
    ASSERT_TRUE(Becomes(server, "/api/series?run=0", "\"last_step\":20"));
  }
  EXPECT_EQ(listing(), before);
}

TEST_F(DashboardWeb, ItStopsWithViewersConnected) {
  auto server = std::make_unique<TestServer>(std::vector<std::string>{Dir("run")});
  WebClient viewer(server->port());
  viewer.Send(millwright::testing::kAskForEvents);
  ASSERT_THAT(viewer.ReadUntil("hello"), HasSubstr("hello"));
  server.reset();
  viewer.ReadUntil("never said");
  EXPECT_TRUE(viewer.ended());
}

TEST_F(DashboardWeb, WhatCannotBeServedIsBadInput) {
  std::ofstream(folder_.File("file")) << "x";
  const std::atomic<bool> stop{true};
  const auto serve = [&stop](ServeOptions options) {
    options.port = options.port == 8420 ? 0 : options.port;
    return Serve(options, stop, [](const ServedAt&) {});
  };
  EXPECT_THAT(serve({.run_dirs = {folder_.File("file")}}).error().message,
              HasSubstr("not a run folder"));
  EXPECT_THAT(serve({.run_dirs = {Dir("run")}, .bind = "no such host"}).error().message,
              HasSubstr("--bind no such host"));
  const TestServer server({Dir("run")});
  const Status taken = serve({.run_dirs = {Dir("run")}, .port = server.port()});
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().kind, ErrorKind::kBadInput);
  EXPECT_THAT(taken.error().message, HasSubstr("--port " + std::to_string(server.port())));
}

}  // namespace
}  // namespace millwright::app::web
