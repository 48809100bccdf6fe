#include "telemetry/record_file.h"

#include <gtest/gtest.h>

#include "checkpoint/test_folder.h"
#include "telemetry/crc32c.h"

namespace millwright::telemetry {
namespace {

// RFC 3720, B.4.
TEST(Crc32c, IsThatOfTheStandard) {
  std::string rising, falling;
  for (int i = 0; i < 32; ++i) {
    rising.push_back(static_cast<char>(i));
    falling.push_back(static_cast<char>(31 - i));
  }
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(Crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
  EXPECT_EQ(Crc32c(rising), 0x46DD794Eu);
  EXPECT_EQ(Crc32c(falling), 0x113FDB5Cu);
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(Crc32c(""), 0u);
}

TEST(RecordFile, RecordsReadBack) {
  const checkpoint::TestFolder folder;
  const std::vector<std::string> records = {"", "a", std::string(1000, 'x'),
                                            std::string("\0\n", 2)};
  {
    auto file = RecordFile::Create(folder.File("records"));
    ASSERT_TRUE(file.ok());
    for (const std::string& record : records) ASSERT_TRUE((*file)->Write(record).ok());
  }
  const std::string bytes = checkpoint::ReadBytes(folder.File("records"));
  const auto read = ReadRecords(bytes);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(*read, records);
  EXPECT_EQ(bytes.size(), 1003u + 16 * records.size());
  EXPECT_FALSE(RecordFile::Create(folder.File("records")).ok());
  EXPECT_FALSE(RecordFile::Create(folder.File("none/records")).ok());
}

// A cut file has the records before the cut; a changed byte is found wherever it is.
TEST(RecordFile, DamageIsFound) {
  const std::string bytes = FrameRecord("once") + FrameRecord("upon a time");
  for (size_t cut = 0; cut < bytes.size(); ++cut) {
    const auto read = ReadRecords(bytes.substr(0, cut));
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->size(), cut < FrameRecord("once").size() ? 0u : 1u);
  }
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::string spoiled = bytes;
    spoiled[at] = static_cast<char>(spoiled[at] ^ 1);
    EXPECT_FALSE(ReadRecords(spoiled).ok()) << at;
  }
}

}  // namespace
}  // namespace millwright::telemetry
