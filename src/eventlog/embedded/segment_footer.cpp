#include "eventlog/embedded/segment_footer.h"

#include <algorithm>

namespace weft::eventlog {

Task<Result<SegmentFooter>> read_segment_footer(File& file, std::uint64_t segment) {
  CO_TRY(auto size, co_await file.size());
  std::string bytes(std::min<std::uint64_t>(kSegmentTrailerBytes, size), '\0');
  CO_CHECK(co_await file.read_at(bytes, size - bytes.size()));
  CO_TRY(auto trailer, decode_segment_trailer(bytes));
  if (trailer.footer_at > size || trailer.footer_bytes > size - trailer.footer_at) {
    co_return fail(ErrorCode::DataLoss, "the footer lies outside of the file");
  }
  std::string text(trailer.footer_bytes, '\0');
  CO_CHECK(co_await file.read_at(text, trailer.footer_at));
  SegmentFooter footer;
  footer.at = trailer.footer_at;
  CO_TRY(footer.extents, decode_segment_footer(text, segment));
  co_return footer;
}

}  // namespace weft::eventlog
