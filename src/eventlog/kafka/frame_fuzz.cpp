// Any bytes may come as a request: nothing is read beyond them, memory stays within the reader's
// limits, and what is accepted can be written and read again.
#include "eventlog/kafka/messages/all.h"
#include "eventlog/kafka/protocol/headers.h"

using namespace weft;
using namespace weft::kafka;

namespace {

template <class Request>
void read_request(std::string_view frame, std::int16_t version) {
  std::optional<std::string_view> client;
  auto reader = body_reader(frame, Request::kApi, version, client);
  const auto request = reader.template message<Request>();
  if (!request) return;
  const bool flexible = Request::kApi.is_flexible(version);
  Frame written;
  Writer(written, version, flexible).message(*request);
  const auto bytes = written.flat();
  Reader again(bytes, version, flexible);
  ENSURE(again.message<Request>().has_value() && again.remaining() == 0,
         "what was read can be written and read again");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view frame(reinterpret_cast<const char*>(data), size);
  const auto header = read_request_header(frame);
  if (!header) return 0;
  for_each_api([&]<class Request, class Response>() {
    if (Request::kApi.key == header->key && Request::kApi.has(header->version)) {
      read_request<Request>(frame, header->version);
    }
  });
  return 0;
}
