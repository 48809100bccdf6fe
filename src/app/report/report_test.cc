#include "app/report/report.h"

#include <gmock/gmock.h>

#include <cmath>

#include "app/report/html.h"
#include "app/report/svg_plot.h"
#include "checkpoint/test_folder.h"
#include "telemetry/jsonl.h"

namespace millwright::app::report {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST(Html, TextIsText) {
  EXPECT_EQ(Escape("a<b> & \"c\" 'd'\n"), "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39;\n");
  EXPECT_EQ(Escape(std::string("\0\x1B", 2)), "\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(Escape("\xFFz"), "\xEF\xBF\xBDz");
  EXPECT_EQ(Escape("é"), "é");
  EXPECT_THAT(Page("<t>", "<p>"), HasSubstr("<title>&lt;t&gt;</title>"));
}

TEST(SvgPlot, TicksAreRound) {
  EXPECT_THAT(RoundTicks(0, 10, 5), ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(RoundTicks(0.05, 0.42, 4), ElementsAre(0.1, 0.2, 0.3, 0.4));
  EXPECT_THAT(RoundTicks(-7, 180, 4), ElementsAre(0, 50, 100, 150));
  EXPECT_TRUE(RoundTicks(1, 1, 5).empty());
  EXPECT_TRUE(RoundTicks(0, INFINITY, 5).empty());
}

Plot Line(std::vector<double> y) {
  Curve curve{.name = "loss", .style = "main"};
  for (size_t i = 0; i < y.size(); ++i) curve.x.push_back(static_cast<double>(i + 1));
  curve.y = std::move(y);
  return {.title = "Loss", .curves = {curve}};
}

// Larger is higher, later is further right, and what is no number is a gap.
TEST(SvgPlot, PointsLieWhereTheyBelong) {
  const std::string svg = RenderPlot(Line({4, 2, NAN, 3, INFINITY, 1}));
  EXPECT_THAT(svg, HasSubstr("d=\"M48.0,"));
  EXPECT_THAT(svg, HasSubstr("M450.0,"));
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
  size_t starts = 0;
  const size_t path = svg.find(" d=\"");
  for (size_t at = path; at < svg.find('"', path + 4); ++at) starts += svg[at] == 'M' ? 1 : 0;
  EXPECT_EQ(starts, 3u);
}

TEST(SvgPlot, NothingToDrawIsSaid) {
  EXPECT_THAT(RenderPlot(Line({})), HasSubstr("no numbers yet"));
  EXPECT_THAT(RenderPlot(Line({NAN, INFINITY})), HasSubstr("no numbers yet"));
  EXPECT_THAT(RenderPlot(Line({3})), HasSubstr("<svg"));
  EXPECT_THAT(RenderPlot(Line({3, 3, 3})), HasSubstr("<svg"));
  Plot logarithmic = Line({0, -1});
  logarithmic.logarithmic = true;
  EXPECT_THAT(RenderPlot(logarithmic), HasSubstr("no numbers yet"));
  logarithmic = Line({0, 1e-3, 1e3});
  logarithmic.logarithmic = true;
  EXPECT_THAT(RenderPlot(logarithmic), HasSubstr(">0.001<"));
}

// A run that has said hardly anything, with a name that is markup, and a loss that is no number.
TEST(Report, OfAlmostNothing) {
  telemetry::Metrics metrics;
  EXPECT_THAT(RenderReport(metrics, {}), HasSubstr("<h1>Run: 0 micro-steps</h1>"));
  telemetry::ConfigEvent config;
  config.settings = {{"settings", {{"config", {{"title", "<i>"}}}}}};
  metrics.Add(config);
  telemetry::StepEvent step;
  step.step = 1;
  step.loss = std::nanf("");
  metrics.Add(step);
  telemetry::RunWatch watch;
  watch.Add(config);
  watch.Add(step);
  const std::string page = RenderReport(metrics, watch.Assess({.now = 1}));
  EXPECT_THAT(page, HasSubstr("<h1>&lt;i&gt;: 1 micro-steps</h1>"));
  EXPECT_THAT(page, HasSubstr("<b>alarm</b>loss is NaN or infinite at step 1"));
  EXPECT_THAT(page, Not(HasSubstr("nan")));
}

TEST(Report, SaysWhatProgramsCost) {
  telemetry::Metrics metrics;
  telemetry::EndEvent end{.step = 20, .reason = "done"};
  metrics.Add(end);
  EXPECT_THAT(RenderReport(metrics, {}), Not(HasSubstr("Programs and copies")));
  end.costs = telemetry::ProgramCosts{
      .processes = 3, .programs = 90, .steps = 20, .launches = 2400, .copied_bytes = 30'000'000};
  metrics.Add(end);
  const std::string page = RenderReport(metrics, {});
  EXPECT_THAT(page, HasSubstr("<td>programs compiled</td><td class=\"number\">90</td>"));
  EXPECT_THAT(page, HasSubstr("<td>launches a micro-step</td><td class=\"number\">120</td>"));
  EXPECT_THAT(page, HasSubstr("<td>of these, MB</td><td class=\"number\">1.50</td>"));
}

// A long run is a page of ordinary size.
TEST(Report, OfAHundredThousandSteps) {
  telemetry::Metrics metrics;
  telemetry::StepEvent step;
  for (step.step = 1; step.step <= 100000; ++step.step) {
    step.loss = 4.0f + static_cast<float>(step.step % 7);
    metrics.Add(step);
  }
  EXPECT_LT(RenderReport(metrics, {}).size(), 200000u);
}

TEST(Report, IsReplacedAsAWhole) {
  const checkpoint::TestFolder folder;
  EXPECT_FALSE(WriteReport(folder.path()).ok());
  {
    auto sink = telemetry::JsonlSink::Open(folder.File("metrics.jsonl"));
    ASSERT_TRUE(sink.ok());
    ASSERT_TRUE((*sink)->Write(telemetry::StepEvent{1, 2.5f}).ok());
  }
  checkpoint::WriteBytes(folder.File("report.html"), "old");
  const auto path = WriteReport(folder.path());
  ASSERT_TRUE(path.ok()) << path.error().message;
  EXPECT_THAT(checkpoint::ReadBytes(*path), HasSubstr("</html>"));
}

}  // namespace
}  // namespace millwright::app::report
