#include "telemetry/system_probe.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cmath>
#include <thread>

#include "checkpoint/test_folder.h"

namespace millwright::telemetry {
namespace {

namespace fs = std::filesystem;

TEST(SystemProbe, TellsWhatTheProcessUses) {
  SystemProbe probe(nullptr);
  const Stopwatch watch;
  while (watch.ms() < 60) {
  }
  const SystemEvent event = probe.Measure();
  EXPECT_GT(event.time, 1.6e9);
  EXPECT_GT(event.peak_rss_bytes, 0);
  EXPECT_LE(event.rss_bytes, event.peak_rss_bytes);
  EXPECT_GT(event.process_cpu, 0);
  EXPECT_LT(event.process_cpu, 1.5);  // one thread, whose clock ticks more coarsely than ours
  if (fs::exists("/proc/stat")) {
    EXPECT_GT(event.rss_bytes, 0);
    EXPECT_TRUE(std::isnan(event.machine_cpu) ||
                (event.machine_cpu >= 0 && event.machine_cpu <= 1));
  }
  EXPECT_TRUE(event.watts.empty());
}

class RaplTest : public testing::Test {
 protected:
  void Zone(const std::string& folder, const std::string& name, const std::string& energy) const {
    fs::create_directory(folder_.File(folder));
    checkpoint::WriteBytes(folder_.File(folder + "/name"), name + "\n");
    checkpoint::WriteBytes(folder_.File(folder + "/energy_uj"), energy + "\n");
    checkpoint::WriteBytes(folder_.File(folder + "/max_energy_range_uj"), "1000000\n");
  }
  checkpoint::TestFolder folder_;
};

// Energy over time, also when the counter has begun again.
TEST_F(RaplTest, WattsAreEnergyOverTime) {
  Zone("intel-rapl:0", "package-0", "100000");
  Zone("intel-rapl:0:0", "dram", "900000");
  const auto meter = OpenRapl(folder_.path());
  ASSERT_NE(meter, nullptr);
  EXPECT_TRUE(meter->Watts().empty());
  const Stopwatch watch;
  Zone("intel-rapl:0", "package-0", "500000");
  Zone("intel-rapl:0:0", "dram", "100000");
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const double least = watch.ms() / 1000;
  const auto watts = meter->Watts();
  ASSERT_EQ(watts.size(), 2u);
  EXPECT_GT(watts.at("package-0"), 0);
  EXPECT_LE(watts.at("package-0"), 0.4 / least);
  EXPECT_NEAR(watts.at("dram-0"), watts.at("package-0") / 2, 1e-9);
}

TEST_F(RaplTest, WithoutCountersThereIsNoMeter) {
  EXPECT_EQ(OpenRapl(folder_.path()), nullptr);
  EXPECT_EQ(OpenRapl(folder_.File("none")), nullptr);
  fs::create_directory(folder_.File("intel-rapl"));
  EXPECT_EQ(OpenRapl(folder_.path()), nullptr);
}

TEST(Powermetrics, TheLastSampleCounts) {
  const auto watts = ParsePowermetrics(
      "CPU Power: 10 mW\nGPU Power: 5 mW\n***\nCPU Power: 2500 mW\nGPU Power: 40 mW\nANE Power: 0 "
      "mW\nCombined Power (CPU + GPU + ANE): 2540 mW\n");
  EXPECT_EQ(watts, (std::map<std::string, double>{{"cpu", 2.5}, {"gpu", 0.04}, {"ane", 0}}));
  EXPECT_TRUE(ParsePowermetrics("CPU Power: off\nGPU Power: 12").empty());
}

TEST(Powermetrics, IsReadWhileItRuns) {
  const checkpoint::TestFolder folder;
  const std::string command = folder.File("powermetrics");
  EXPECT_EQ(StartPowermetrics(command), nullptr);
  checkpoint::WriteBytes(command, "#!/bin/sh\necho \"CPU Power: 1500 mW $4\"\nexec sleep 60\n");
  ASSERT_EQ(::chmod(command.c_str(), 0755), 0);
  const auto meter = StartPowermetrics(command);
  ASSERT_NE(meter, nullptr);
  std::map<std::string, double> watts;
  for (const Stopwatch watch; watts.empty() && watch.ms() < 10000;) {
    watts = meter->Watts();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(watts, (std::map<std::string, double>{{"cpu", 1.5}}));
}

}  // namespace
}  // namespace millwright::telemetry
