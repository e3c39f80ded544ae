// Parses the head of a message (RFC 9112 sections 2 to 6), for both directions. Sans I/O, pure.
//
// Strict where lenience has let requests be smuggled: only CRLF ends a line; no folded lines, no
// space before a colon, no control characters; one Content-Length of digits alone;
// Transfer-Encoding is exactly "chunked", never with Content-Length, never on HTTP/1.0; exactly one
// Host, equal to the authority of an absolute target. Everything else is refused, and the
// connection must then be closed.
//
// Usage: parse(bytes) with all bytes since the head's first one, again with more while Incomplete.
// Views in head() point into the bytes of the last call and live as long as those.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"

namespace weft::http {

struct HeadLimits {
  std::uint32_t bytes_max = 32 * 1024;
  std::uint32_t fields_max = 100;
};

// Why a head is refused: the status to answer with (requests) and the reason for the operator.
struct HeadFault {
  int status = 400;
  std::string_view reason;
};

enum class HeadStep : std::uint8_t { Complete, Incomplete, Refused };

// What requests and responses share: lines, fields, framing.
class HeadParser {
 public:
  // Bytes of the complete head, its empty line included.
  std::size_t size() const { return size_; }
  const HeadFault& fault() const { return fault_; }
  void reset();

 protected:
  explicit HeadParser(HeadLimits limits) : limits_(limits) { fields_.reserve(16); }

  // Finds the empty line; remembers how far it has looked.
  HeadStep find_end(std::string_view bytes);
  bool parse_fields(std::string_view bytes);
  bool refuse(int status, std::string_view reason);
  std::string_view start_line(std::string_view bytes) const;

  // What the framing fields say.
  struct Framing {
    bool has_length = false;
    bool has_coding = false;
    std::uint64_t length = 0;
    bool close = false;
    bool keep_alive = false;
    bool upgrade_option = false;
    bool upgrade_field = false;
    bool expects_continue = false;
    std::string_view host;
    int hosts = 0;
  };

  HeadLimits limits_;
  HeadFault fault_;
  std::vector<Field> fields_;
  Framing framing_;

 private:
  HeadStep end_is_missing(std::size_t size);
  HeadStep refuse_head(int status, std::string_view reason);
  bool parse_field(std::string_view line);
  bool note_field(const Field& field);
  bool note_length(std::string_view value);
  bool note_coding(std::string_view value);
  bool note_connection(std::string_view value);

  std::size_t scanned_ = 0;
  std::size_t size_ = 0;
  std::size_t start_ = 0;                 // behind an ignored empty line
  std::vector<std::uint32_t> line_ends_;  // positions of each line's LF
};

class RequestHeadParser : public HeadParser {
 public:
  explicit RequestHeadParser(HeadLimits limits = {}) : HeadParser(limits) {}
  HeadStep parse(std::string_view bytes);
  const RequestHead& head() const { return head_; }

 private:
  bool parse_request_line(std::string_view line);
  bool parse_target();
  bool settle();

  RequestHead head_;
  std::string_view authority_;  // of an absolute target
  std::string accepted_host_;   // the last one that was found good
};

class ResponseHeadParser : public HeadParser {
 public:
  explicit ResponseHeadParser(HeadLimits limits = {}) : HeadParser(limits) {}
  // A response to HEAD has no body, whatever its fields say.
  HeadStep parse(std::string_view bytes, bool answers_head);
  const ResponseHead& head() const { return head_; }

 private:
  bool parse_status_line(std::string_view line);
  bool settle(bool answers_head);

  ResponseHead head_;
  std::uint8_t version_minor_ = 1;
};

}  // namespace weft::http
