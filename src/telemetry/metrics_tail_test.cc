#include "telemetry/metrics_tail.h"

#include <gtest/gtest.h>

#include <fstream>

#include "checkpoint/test_folder.h"
#include "telemetry/metrics_reader.h"

namespace millwright::telemetry {
namespace {

namespace fs = std::filesystem;

std::string Line(int64_t step, float loss) {
  StepEvent event;
  event.step = step;
  event.loss = loss;
  return ToJsonLine(event) + "\n";
}

class MetricsTailTest : public testing::Test {
 protected:
  void Append(const std::string& text) const {
    std::ofstream(path_, std::ios::binary | std::ios::app) << text;
  }
  void Replace(const std::string& text) const {
    checkpoint::WriteBytes(path_ + ".new", text);
    fs::rename(path_ + ".new", path_);
  }
  MetricsTail::News Poll() {
    auto news = tail_.Poll();
    EXPECT_TRUE(news.ok()) << (news.ok() ? "" : news.error().message);
    return *std::move(news);
  }
  // The steps of the new lines.
  static std::vector<int64_t> Steps(const MetricsTail::News& news) {
    std::vector<int64_t> steps;
    for (const Event& event : news.events) steps.push_back(std::get<StepEvent>(event).step);
    return steps;
  }

  checkpoint::TestFolder folder_;
  std::string path_ = folder_.File("metrics.jsonl");
  MetricsTail tail_{path_};
};

using Numbers = std::vector<int64_t>;

TEST_F(MetricsTailTest, TellsWhatIsNewAndNothingTwice) {
  EXPECT_FALSE(Poll().exists);
  Append(Line(1, 3));
  auto news = Poll();
  EXPECT_TRUE(news.exists);
  EXPECT_FALSE(news.restarted);
  EXPECT_EQ(Steps(news), Numbers{1});
  EXPECT_TRUE(Poll().events.empty());
  Append(Line(2, 3) + Line(3, 3));
  EXPECT_EQ(Steps(Poll()), (Numbers{2, 3}));
}

TEST_F(MetricsTailTest, ACutLineCountsWhenItIsCompleted) {
  const std::string line = Line(2, 2.5);
  for (size_t cut = 1; cut < line.size(); ++cut) {
    Append(line.substr(0, cut));
    EXPECT_TRUE(Poll().events.empty());
    EXPECT_EQ(tail_.pending(), line.substr(0, cut));
    Append(line.substr(cut));
    EXPECT_EQ(Steps(Poll()), Numbers{2});
  }
}

// What a crash cut off and the next start ended with a newline.
TEST_F(MetricsTailTest, ACutLineThatIsEndedIsSkipped) {
  Append(R"({"type":"step","st)");
  EXPECT_EQ(Poll().skipped_lines, 0);
  Append("\n" + Line(1, 3));
  const auto news = Poll();
  EXPECT_EQ(Steps(news), Numbers{1});
  EXPECT_EQ(news.skipped_lines, 1);
  EXPECT_FALSE(news.restarted);
}

TEST_F(MetricsTailTest, AReplacedFileIsReadFromItsBeginning) {
  Append(Line(1, 3) + Line(2, 3));
  Poll();
  Replace(Line(1, 4) + Line(2, 4) + Line(3, 4));
  const auto news = Poll();
  EXPECT_TRUE(news.restarted);
  EXPECT_EQ(Steps(news), (Numbers{1, 2, 3}));
  EXPECT_FALSE(Poll().restarted);
}

TEST_F(MetricsTailTest, ATruncatedFileIsReadFromItsBeginning) {
  Append(Line(1, 3) + Line(2, 3));
  Poll();
  fs::resize_file(path_, Line(1, 3).size());
  const auto news = Poll();
  EXPECT_TRUE(news.restarted);
  EXPECT_EQ(Steps(news), Numbers{1});
}

// In place, and longer than before.
TEST_F(MetricsTailTest, AnOverwrittenFileIsReadFromItsBeginning) {
  Append(Line(1, 3));
  Poll();
  checkpoint::WriteBytes(path_, Line(1, 5) + Line(2, 5));
  const auto news = Poll();
  EXPECT_TRUE(news.restarted);
  EXPECT_EQ(Steps(news), (Numbers{1, 2}));
}

TEST_F(MetricsTailTest, ADeletedFileMayComeBack) {
  Append(Line(1, 3) + R"({"type":)");
  Poll();
  fs::remove(path_);
  auto news = Poll();
  EXPECT_TRUE(news.restarted);
  EXPECT_FALSE(news.exists);
  EXPECT_EQ(tail_.pending(), "");
  EXPECT_FALSE(Poll().restarted);
  Append(Line(1, 4));
  news = Poll();
  EXPECT_FALSE(news.restarted);
  EXPECT_EQ(Steps(news), Numbers{1});
  fs::remove_all(folder_.path());
  EXPECT_TRUE(Poll().restarted);
}

TEST_F(MetricsTailTest, AFolderIsAnError) {
  fs::create_directory(path_);
  EXPECT_FALSE(tail_.Poll().ok());
}

// In chunks of any size, the same events.
TEST_F(MetricsTailTest, ReadsLongFilesInPieces) {
  Numbers all;
  for (int64_t step = 1; step <= 50; ++step) {
    Append(Line(step, 1));
    all.push_back(step);
  }
  for (const size_t chunk : {size_t{1}, size_t{7}, size_t{64}, size_t{1000}, size_t{1} << 20}) {
    MetricsTail tail(path_, chunk);
    Numbers steps;
    for (bool more = true; more;) {
      const auto news = tail.Poll();
      ASSERT_TRUE(news.ok());
      EXPECT_FALSE(news->restarted);
      for (const int64_t step : Steps(*news)) steps.push_back(step);
      more = news->more;
    }
    EXPECT_EQ(steps, all) << chunk;
  }
}

// A resume puts the run back; the steps that it does again replace the earlier ones.
TEST_F(MetricsTailTest, MetricsAreThoseOfTheLastLines) {
  Append(Line(1, 5) + Line(2, 4) + Line(3, 3));
  Metrics metrics;
  for (const Event& event : Poll().events) metrics.Add(event);
  EXPECT_EQ(metrics.last_step, 3);
  Append(ToJsonLine(EndEvent{3, "failed", 1}) + "\n");
  Append(ToJsonLine(ConfigEvent{{{"a", 1}}, 0, 1}) + "\n" + Line(2, 3.5));
  const auto news = Poll();
  metrics.Add(news.events.at(0));
  EXPECT_TRUE(metrics.end.has_value());
  for (size_t i = 1; i < news.events.size(); ++i) metrics.Add(news.events[i]);
  EXPECT_FALSE(metrics.end.has_value());
  EXPECT_EQ(metrics.last_step, 2);
  EXPECT_EQ(metrics.steps.at(2).loss, 3.5f);
  EXPECT_EQ(metrics.log.size(), 2u);
  const auto whole = ReadMetrics(path_);
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole->events, 6);
  EXPECT_EQ(whole->steps.at(2).loss, 3.5f);
}

}  // namespace
}  // namespace millwright::telemetry
