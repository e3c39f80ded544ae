// Reads responses from the bytes of one client connection, one after another: head, then body in
// pieces. Sans I/O: the owner reads into room() and says how much came. Strict like the server's
// side.
//
// Views (head, pieces) live until the next room(). One loop; no allocation once the buffer is
// there.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/core/body_decoder.h"
#include "http/core/head_parser.h"
#include "http/message.h"

namespace weft::http {

class ResponseReader {
 public:
  explicit ResponseReader(HeadLimits limits = {.bytes_max = 64 * 1024, .fields_max = 200});

  // Begins the next response. A response to HEAD has no body.
  void expect(bool answers_head);

  std::span<char> room();
  void received(std::size_t count);
  // The stream ended. True when that ends the response in good order.
  bool ended();

  // True when the head of the final response is there; interim ones (1xx but 101) are skipped.
  Result<bool> has_head();
  const ResponseHead& head() const { return parser_.head(); }
  // The next piece that is there; empty when input is missing or the body is done.
  Result<std::string_view> next_piece();
  bool is_done() const { return has_head_ && body_.is_done(); }
  BodyFraming framing() const { return body_.framing(); }

  // Whether any byte of this response has come.
  bool has_begun() const { return has_begun_; }
  // Whether the connection can take another request: all read, nothing beyond, peer keeps it.
  bool is_reusable() const { return is_done() && keep_alive_ && begin_ == end_; }
  // What came behind the head: of the tunnel, after 101.
  std::string_view surplus() const { return {in_.data() + begin_, end_ - begin_}; }

 private:
  std::vector<char> in_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  ResponseHeadParser parser_;
  BodyDecoder body_;
  bool answers_head_ = false;
  bool has_head_ = false;
  bool has_begun_ = false;
  bool keep_alive_ = false;
};

}  // namespace weft::http
