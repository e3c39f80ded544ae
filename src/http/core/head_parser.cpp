#include "http/core/head_parser.h"

#include <algorithm>
#include <cstring>

#include "http/characters.h"

namespace weft::http {

namespace {

// Fits 64 bits whatever the digits are.
constexpr std::size_t kLengthDigitsMax = 18;
constexpr std::size_t kMethodBytesMax = 32;

bool is_authority_char(char c) {
  // reg-name, IPv4 and the inside of an IPv6 literal (RFC 3986 section 3.2.2), percent-encoding
  // included.
  return is_token_char(c) || c == '(' || c == ')' || c == ';' || c == '=' || c == ':' || c == '[' ||
         c == ']';
}

bool is_port(std::string_view text) {
  if (text.size() > 5) return false;
  unsigned value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
    value = value * 10 + static_cast<unsigned>(c - '0');
  }
  return value <= 65535;
}

// uri-host [":" port]; user information and lists have no place here.
bool is_authority(std::string_view text) {
  if (text.empty() || !std::ranges::all_of(text, is_authority_char)) return false;
  if (text.front() == '[') {
    auto end = text.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    auto rest = text.substr(end + 1);
    return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
  }
  if (text.find_first_of("[]") != std::string_view::npos) return false;
  auto colon = text.find(':');
  if (colon == std::string_view::npos) return true;
  return colon > 0 && is_port(text.substr(colon + 1));
}

}  // namespace

void HeadParser::reset() {
  fields_.clear();
  line_ends_.clear();
  framing_ = {};
  fault_ = {};
  scanned_ = 0;
  size_ = 0;
  start_ = 0;
}

bool HeadParser::refuse(int status, std::string_view reason) {
  fault_ = {status, reason};
  return false;
}

std::string_view HeadParser::start_line(std::string_view bytes) const {
  return bytes.substr(start_, line_ends_.front() - 1 - start_);
}

// The only control characters of a good head are tabs and the CR LF of its lines: one scan finds
// the lines and proves the rest.
HeadStep HeadParser::find_end(std::string_view bytes) {
  auto seen = bytes.substr(0, limits_.bytes_max);
  for (;;) {
    auto at = find_control(seen, scanned_);
    if (at + 1 >= seen.size()) {
      // A control character as the last byte is judged with the next one.
      scanned_ = at;
      if (at < seen.size() && seen[at] != '\r') break;
      return end_is_missing(bytes.size());
    }
    if (seen[at] != '\r' || seen[at + 1] != '\n') {
      scanned_ = at;
      break;
    }
    scanned_ = at + 2;
    auto line_start = line_ends_.empty() ? start_ : line_ends_.back() + 1;
    if (at > line_start) {
      if (line_ends_.size() > limits_.fields_max) return refuse_head(431, "too many header fields");
      line_ends_.push_back(static_cast<std::uint32_t>(at + 1));
      continue;
    }
    if (!line_ends_.empty()) {
      size_ = at + 2;
      return HeadStep::Complete;
    }
    // One empty line before the start line is ignored (RFC 9112 section 2.2).
    if (start_ > 0) return refuse_head(400, "empty lines in place of a message");
    start_ = scanned_;
  }
  return refuse_head(400, seen[scanned_] == '\n'   ? "a line ends without CR"
                          : seen[scanned_] == '\r' ? "a CR without LF"
                                                   : "a control character in the head");
}

HeadStep HeadParser::end_is_missing(std::size_t size) {
  if (size < limits_.bytes_max) return HeadStep::Incomplete;
  return refuse_head(line_ends_.empty() ? 414 : 431, "the head is too long");
}

HeadStep HeadParser::refuse_head(int status, std::string_view reason) {
  refuse(status, reason);
  return HeadStep::Refused;
}

bool HeadParser::parse_fields(std::string_view bytes) {
  fields_.clear();
  framing_ = {};
  for (std::size_t i = 1; i < line_ends_.size(); ++i) {
    std::size_t begin = line_ends_[i - 1] + 1;
    if (!parse_field(bytes.substr(begin, line_ends_[i] - 1 - begin))) return false;
  }
  return true;
}

bool HeadParser::parse_field(std::string_view line) {
  std::size_t colon = 0;
  while (colon < line.size() && is_token_char(line[colon])) ++colon;
  if (colon == 0 && (line.front() == ' ' || line.front() == '\t')) {
    return refuse(400, "a folded header line");
  }
  if (colon == 0 || colon == line.size() || line[colon] != ':') {
    return refuse(400, "a header line without a proper name");
  }
  Field field{line.substr(0, colon), trim_spaces(line.substr(colon + 1))};
  fields_.push_back(field);
  return note_field(field);
}

bool HeadParser::note_field(const Field& field) {
  switch (field.name.size()) {
    case 4:
      if (!equals_lower(field.name, "host")) return true;
      framing_.host = field.value;
      ++framing_.hosts;
      return true;
    case 6:
      if (!equals_lower(field.name, "expect")) return true;
      if (!equals_lower(field.value, "100-continue")) return refuse(417, "an unknown expectation");
      framing_.expects_continue = true;
      return true;
    case 7:
      if (equals_lower(field.name, "upgrade")) framing_.upgrade_field = true;
      return true;
    case 10:
      return !equals_lower(field.name, "connection") || note_connection(field.value);
    case 14:
      return !equals_lower(field.name, "content-length") || note_length(field.value);
    case 17:
      return !equals_lower(field.name, "transfer-encoding") || note_coding(field.value);
    default:
      return true;
  }
}

bool HeadParser::note_length(std::string_view value) {
  if (framing_.has_length) return refuse(400, "more than one Content-Length");
  if (value.empty() || value.size() > kLengthDigitsMax) return refuse(400, "a bad Content-Length");
  std::uint64_t length = 0;
  for (char c : value) {
    if (c < '0' || c > '9') return refuse(400, "a bad Content-Length");
    length = length * 10 + static_cast<std::uint64_t>(c - '0');
  }
  framing_.has_length = true;
  framing_.length = length;
  return true;
}

bool HeadParser::note_coding(std::string_view value) {
  if (framing_.has_coding) return refuse(400, "more than one Transfer-Encoding");
  framing_.has_coding = true;
  if (equals_lower(value, "chunked")) return true;
  return is_token(value) ? refuse(501, "an unknown transfer coding")
                         : refuse(400, "a Transfer-Encoding other than chunked");
}

bool HeadParser::note_connection(std::string_view value) {
  if (equals_lower(value, "keep-alive")) {
    framing_.keep_alive = true;
    return true;
  }
  for_each_element(value, [this](std::string_view option) {
    if (equals_lower(option, "close")) framing_.close = true;
    if (equals_lower(option, "keep-alive")) framing_.keep_alive = true;
    if (equals_lower(option, "upgrade")) framing_.upgrade_option = true;
  });
  return true;
}

HeadStep RequestHeadParser::parse(std::string_view bytes) {
  auto step = find_end(bytes);
  if (step != HeadStep::Complete) return step;
  head_ = {};
  bool accepted = parse_request_line(start_line(bytes)) && parse_fields(bytes) && settle();
  return accepted ? HeadStep::Complete : HeadStep::Refused;
}

bool RequestHeadParser::parse_request_line(std::string_view line) {
  auto space = line.find(' ');
  head_.method = line.substr(0, space);
  if (space == std::string_view::npos || space > kMethodBytesMax || !is_token(head_.method)) {
    return refuse(400, "a bad method");
  }
  line.remove_prefix(space + 1);
  space = line.find(' ');
  if (space == std::string_view::npos) return refuse(400, "a request line without a version");
  head_.target = line.substr(0, space);
  auto version = line.substr(space + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    bool is_other_version = version.size() == 8 && version.starts_with("HTTP/") &&
                            version[6] == '.' && version[5] >= '0' && version[5] <= '9' &&
                            version[7] >= '0' && version[7] <= '9';
    return is_other_version ? refuse(505, "an HTTP version other than 1.0 and 1.1")
                            : refuse(400, "a bad version");
  }
  head_.version_minor = static_cast<std::uint8_t>(version.back() - '0');
  return parse_target();
}

bool RequestHeadParser::parse_target() {
  auto target = head_.target;
  authority_ = {};
  if (target.empty() || !std::ranges::all_of(target, is_target_char)) {
    return refuse(400, "a bad request target");
  }
  if (target.contains('#')) return refuse(400, "a fragment in the request target");
  if (head_.method == "CONNECT") return refuse(501, "CONNECT is not offered");
  if (target == "*") {
    head_.path = target;
    return head_.method == "OPTIONS" || refuse(400, "\"*\" is for OPTIONS alone");
  }
  if (target.front() != '/') {
    auto scheme_end = target.find("://");
    auto scheme = target.substr(0, scheme_end);
    if (scheme_end == std::string_view::npos ||
        !(equals_lower(scheme, "http") || equals_lower(scheme, "https"))) {
      return refuse(400, "a bad request target");
    }
    target.remove_prefix(scheme_end + 3);
    auto path = target.find_first_of("/?");
    authority_ = target.substr(0, path);
    if (!is_authority(authority_)) return refuse(400, "a bad authority in the request target");
    target = path == std::string_view::npos ? std::string_view("/") : target.substr(path);
  }
  auto question = target.find('?');
  head_.path = target.substr(0, question);
  if (head_.path.empty()) head_.path = "/";
  if (question != std::string_view::npos) head_.query = target.substr(question + 1);
  return true;
}

bool RequestHeadParser::settle() {
  const auto& f = framing_;
  if (f.hosts > 1) return refuse(400, "more than one Host");
  if (f.hosts == 0 && head_.version_minor == 1) return refuse(400, "no Host");
  // A connection names the same host again and again.
  if (f.hosts == 1 && (f.host.empty() || f.host != accepted_host_)) {
    if (!is_authority(f.host)) return refuse(400, "a bad Host");
    accepted_host_ = f.host;
  }
  if (!authority_.empty() && f.hosts == 1 && !equals_ignoring_case(authority_, f.host)) {
    return refuse(400, "Host differs from the authority of the target");
  }
  if (f.has_coding && f.has_length) {
    return refuse(400, "Transfer-Encoding together with Content-Length");
  }
  if (f.has_coding && head_.version_minor == 0) {
    return refuse(400, "Transfer-Encoding in an HTTP/1.0 message");
  }
  head_.host = f.hosts == 1 ? f.host : authority_;
  head_.fields = fields_;
  if (f.has_coding) head_.framing = BodyFraming::Chunked;
  if (f.has_length && f.length > 0) head_.framing = BodyFraming::Length;
  head_.content_length = f.length;
  head_.keep_alive = !f.close && (head_.version_minor == 1 || f.keep_alive);
  head_.expects_continue =
      f.expects_continue && head_.version_minor == 1 && head_.framing != BodyFraming::None;
  head_.is_upgrade = f.upgrade_option && f.upgrade_field && head_.version_minor == 1;
  return true;
}

HeadStep ResponseHeadParser::parse(std::string_view bytes, bool answers_head) {
  auto step = find_end(bytes);
  if (step != HeadStep::Complete) return step;
  head_ = {};
  bool accepted =
      parse_status_line(start_line(bytes)) && parse_fields(bytes) && settle(answers_head);
  return accepted ? HeadStep::Complete : HeadStep::Refused;
}

bool ResponseHeadParser::parse_status_line(std::string_view line) {
  if (!line.starts_with("HTTP/1.") || line.size() < 12 || (line[7] != '0' && line[7] != '1') ||
      line[8] != ' ' || (line.size() > 12 && line[12] != ' ')) {
    return refuse(502, "a bad status line");
  }
  version_minor_ = static_cast<std::uint8_t>(line[7] - '0');
  head_.status = 0;
  for (char c : line.substr(9, 3)) {
    if (c < '0' || c > '9') return refuse(502, "a bad status code");
    head_.status = head_.status * 10 + (c - '0');
  }
  if (head_.status < 100 || head_.status > 599) return refuse(502, "a status code out of range");
  return true;
}

bool ResponseHeadParser::settle(bool answers_head) {
  const auto& f = framing_;
  if (f.has_coding && (f.has_length || version_minor_ == 0)) {
    return refuse(502, "Transfer-Encoding with Content-Length or HTTP/1.0");
  }
  head_.fields = fields_;
  head_.content_length = f.length;
  head_.keep_alive = !f.close && (version_minor_ == 1 || f.keep_alive);
  bool has_no_body =
      answers_head || head_.status < 200 || head_.status == 204 || head_.status == 304;
  if (has_no_body) return true;
  if (f.has_coding) {
    head_.framing = BodyFraming::Chunked;
  } else if (!f.has_length) {
    head_.framing = BodyFraming::UntilClose;
    head_.keep_alive = false;
  } else if (f.length > 0) {
    head_.framing = BodyFraming::Length;
  }
  return true;
}

}  // namespace weft::http
