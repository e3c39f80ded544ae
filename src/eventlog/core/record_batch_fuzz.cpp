// Any bytes may come as a record batch: nothing is read beyond them, and what the reader accepts,
// the builder builds again with the same records.
#include "base/bytes.h"
#include "eventlog/core/record_batch.h"

using namespace weft;
using namespace weft::eventlog;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kPlainBytesMax = 1 << 20;
  std::string batch(reinterpret_cast<const char*>(data), size);
  (void)check_batch(batch);
  const auto header = read_batch_header(batch);
  if (!header) return 0;

  std::string scratch;
  const auto records = batch_records(batch, scratch, kPlainBytesMax);
  if (!records) return 0;
  RecordReader reader(*header, *records);
  RecordView record;
  BatchBuilder builder;
  std::int32_t read = 0;
  while (true) {
    const auto more = reader.next(record);
    if (!more) return 0;
    if (!*more) break;
    ++read;
    while (record.headers.next()) continue;
    builder.add(0, record.key, record.value);
  }
  if (read == 0) return 0;
  const auto again = builder.finish();
  ENSURE(again && check_batch(*again)->record_count == read, "a read batch can be built again");
  return 0;
}
