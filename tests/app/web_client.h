// A web dashboard in a thread of the test, and a client that speaks to it in raw bytes.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <fstream>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "app/dashboard/web/descriptor.h"
#include "app/dashboard/web/router.h"
#include "app/dashboard/web/serve.h"

namespace millwright::testing {

inline constexpr const char* kAskForEvents = "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n";

// Serves from its construction to its end, on a port of its own.
class TestServer {
 public:
  explicit TestServer(std::vector<std::string> run_dirs, const std::string& bind = "127.0.0.1") {
    std::promise<app::web::ServedAt> ready;
    std::future<app::web::ServedAt> at = ready.get_future();
    app::web::ServeOptions options{.run_dirs = std::move(run_dirs), .bind = bind, .port = 0};
    thread_ = std::thread([this, options, ready = std::move(ready)]() mutable {
      const Status status = app::web::Serve(
          options, stop_, [&](const app::web::ServedAt& place) { ready.set_value(place); });
      if (!status) {
        ADD_FAILURE() << status.error().message;
        ready.set_value({});
      }
    });
    at_ = at.get();
    const size_t colon = url().rfind(':');
    if (colon != std::string::npos) port_ = std::atoi(url().c_str() + colon + 1);
  }
  ~TestServer() {
    stop_ = true;
    thread_.join();
  }
  TestServer(const TestServer&) = delete;
  TestServer& operator=(const TestServer&) = delete;

  const std::string& url() const { return at_.url; }
  const std::string& warning() const { return at_.warning; }
  int port() const { return port_; }

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
  app::web::ServedAt at_;
  int port_ = 0;
};

// A connection to 127.0.0.1.
class WebClient {
 public:
  explicit WebClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }

  // Until all is sent or the other side takes no more.
  void Send(const std::string& bytes) {
    for (size_t sent = 0; sent < bytes.size();) {
      const ssize_t count = ::send(socket_.get(), bytes.data() + sent, bytes.size() - sent, 0);
      if (count <= 0) return;
      sent += static_cast<size_t>(count);
    }
  }

  // All that has been read, once it holds `text`, the other side has ended, or nothing comes for
  // long.
  const std::string& ReadUntil(const std::string& text) {
    while (!ended_ && read_.find(text) == std::string::npos) {
      pollfd polled{socket_.get(), POLLIN, 0};
      if (::poll(&polled, 1, kPatienceMs) <= 0) break;
      std::array<char, 65536> bytes{};
      const ssize_t count = ::recv(socket_.get(), bytes.data(), bytes.size(), 0);
      ended_ = count <= 0;
      if (!ended_) read_.append(bytes.data(), static_cast<size_t>(count));
    }
    return read_;
  }
  bool ended() const { return ended_; }

  // The response to `request`, whole.
  static std::string Exchange(int port, const std::string& request) {
    WebClient client(port);
    client.Send(request);
    while (!client.ended()) {
      const size_t before = client.read_.size();
      client.ReadUntil(std::string(1, '\0') + "never");
      if (client.read_.size() == before) break;
    }
    return client.read_;
  }
  static std::string Get(int port, const std::string& target) {
    return Exchange(port, "GET " + target + " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  }
  static std::string BodyOf(const std::string& response) {
    const size_t end = response.find("\r\n\r\n");
    return end == std::string::npos ? std::string() : response.substr(end + 4);
  }
  // The id of the last event in `stream`.
  static std::string LastId(const std::string& stream) {
    const size_t at = stream.rfind("id: ");
    if (at == std::string::npos) return {};
    return stream.substr(at + 4, stream.find('\n', at) - at - 4);
  }

 private:
  static constexpr int kPatienceMs = 20000;

  app::web::Descriptor socket_;
  std::string read_;
  bool ended_ = false;
};

// Threads of this process; 0 where the system does not tell.
inline int ThreadCount() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word == "Threads:" && status >> word) return std::atoi(word.c_str());
  }
  return 0;
}

}  // namespace millwright::testing
