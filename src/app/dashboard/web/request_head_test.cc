#include "app/dashboard/web/request_head.h"

#include <gtest/gtest.h>

namespace millwright::app::web {
namespace {

CheckedRequest Check(const std::string& line, const std::string& headers = "Host: localhost\r\n") {
  return CheckRequest(line + "\r\n" + headers + "\r\n");
}

TEST(RequestHead, EndsAtTheEmptyLine) {
  EXPECT_EQ(HeadEnd("GET / HTTP/1.1\r\nHost: a\r\n"), std::string_view::npos);
  EXPECT_EQ(HeadEnd("GET / HTTP/1.1\r\n\r\nrest"), 18u);
}

TEST(RequestHead, OnlyWhatTheRouterNeedsIsPassedOn) {
  const auto checked = Check("GET /events HTTP/1.1",
                             "HOST:  127.0.0.1:8420 \r\nRange: bytes=0-1,2-3\r\nContent-Length: "
                             "5\r\nlast-event-id: s-7\r\nAccept-Encoding: br\r\n");
  EXPECT_EQ(checked.refused, 0);
  EXPECT_EQ(checked.request,
            "GET /events HTTP/1.1\r\nLast-Event-ID: s-7\r\nConnection: close\r\n\r\n");
}

TEST(RequestHead, WhatIsNoRequestOfOursIsRefused) {
  EXPECT_EQ(Check("POST / HTTP/1.1").refused, 405);
  EXPECT_EQ(Check("GET /" + std::string(kLongestTarget, 'a') + " HTTP/1.1").refused, 414);
  for (const char* line : {"", "GET", "GET /", "GET / HTTP/2", "GET  HTTP/1.1", "GET x HTTP/1.1",
                           "GET /\tx HTTP/1.1", "GET http://localhost/ HTTP/1.1"}) {
    EXPECT_EQ(Check(line).refused, 400) << line;
  }
}

TEST(RequestHead, AHostMustBeNamedOnceAndSafely) {
  EXPECT_EQ(Check("GET / HTTP/1.1", "").refused, 400);
  EXPECT_EQ(Check("GET / HTTP/1.1", "Host: localhost\r\nHost: localhost\r\n").refused, 400);
  EXPECT_EQ(Check("GET / HTTP/1.1", "Host: evil.example\r\n").refused, 421);
  EXPECT_EQ(Check("GET / HTTP/1.1", "Host localhost\r\n").refused, 400);
}

TEST(RequestHead, NumbersAndOwnNamesAreSafeHosts) {
  for (const char* host : {"localhost", "LocalHost:8420", "127.0.0.1", "127.0.0.1:1", "[::1]",
                           "[::1]:8420", "192.168.1.7:80"}) {
    EXPECT_TRUE(HostIsSafe(host)) << host;
  }
  for (const char* host : {"", ":80", "evil.example", "localhost.evil.example", "127.0.0.1.nip.io",
                           "[::1", "::1]", "[evil]", "localhost:80@evil", "127.0.0.1:80:80", "1"}) {
    EXPECT_FALSE(HostIsSafe(host)) << host;
  }
}

}  // namespace
}  // namespace millwright::app::web
