#include "contracts/core/formats.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "base/uuid.h"
#include "contracts/core/pattern.h"

namespace weft::contracts {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex(char c) {
  return std::isxdigit(static_cast<unsigned char>(c)) != 0;
}
bool is_alnum(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

// Exactly `count` digits at the front, taken off.
std::optional<int> take_number(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

bool take_date(std::string_view& text) {
  const auto year = take_number(text, 4);
  if (!year || !take(text, '-')) return false;
  const auto month = take_number(text, 2);
  if (!month || !take(text, '-')) return false;
  const auto day = take_number(text, 2);
  if (!day || *month < 1 || *month > 12 || *day < 1) return false;
  const bool leap = (*year % 4 == 0 && *year % 100 != 0) || *year % 400 == 0;
  constexpr std::array<int, 12> kDays = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return *day <= kDays[static_cast<std::size_t>(*month - 1)] + (*month == 2 && leap ? 1 : 0);
}

// A leap second is one only when it is 23:59:60 in UTC (RFC 3339 section 5.7).
bool take_time(std::string_view& text) {
  const auto hour = take_number(text, 2);
  if (!hour || !take(text, ':')) return false;
  const auto minute = take_number(text, 2);
  if (!minute || !take(text, ':')) return false;
  const auto second = take_number(text, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return false;
  if (take(text, '.')) {
    if (text.empty() || !is_digit(text[0])) return false;
    while (!text.empty() && is_digit(text[0])) text.remove_prefix(1);
  }
  int offset = 0;
  if (!take(text, 'Z') && !take(text, 'z')) {
    const bool east = text.starts_with('+');
    if (!take(text, '+') && !take(text, '-')) return false;
    const auto hours = take_number(text, 2);
    if (!hours || !take(text, ':')) return false;
    const auto minutes = take_number(text, 2);
    if (!minutes || *hours > 23 || *minutes > 59) return false;
    offset = (*hours * 60 + *minutes) * (east ? 1 : -1);
  }
  if (*second < 60) return true;
  constexpr int kDay = 24 * 60;
  return ((*hour * 60 + *minute - offset) % kDay + kDay) % kDay == kDay - 1;
}

bool is_date(std::string_view text) {
  return take_date(text) && text.empty();
}
bool is_time(std::string_view text) {
  return take_time(text) && text.empty();
}
bool is_date_time(std::string_view text) {
  if (!take_date(text) || (!take(text, 'T') && !take(text, 't'))) return false;
  return is_time(text);
}

// RFC 3339 appendix A: P[nY][nM][nD][T[nH][nM][nS]] without gaps between units, or PnW.
bool take_units(std::string_view& text, std::string_view units) {
  bool any = false;
  std::size_t next = 0;
  while (!text.empty() && is_digit(text[0])) {
    while (!text.empty() && is_digit(text[0])) text.remove_prefix(1);
    const std::size_t unit = text.empty() ? std::string_view::npos : units.find(text[0]);
    if (unit == std::string_view::npos || (any ? unit != next : false)) return false;
    next = unit + 1;
    any = true;
    text.remove_prefix(1);
  }
  return any;
}

bool is_duration(std::string_view text) {
  if (!take(text, 'P') || text.empty()) return false;
  if (text.ends_with('W')) {
    text.remove_suffix(1);
    while (!text.empty() && is_digit(text[0]) && text.size() > 1) text.remove_prefix(1);
    return text.size() == 1 && is_digit(text[0]);
  }
  if (!text.starts_with('T') && !take_units(text, "YMD")) return false;
  if (text.empty()) return true;
  return take(text, 'T') && take_units(text, "HMS") && text.empty();
}

bool is_ipv4(std::string_view text) {
  for (int part = 0; part < 4; ++part) {
    if (part > 0 && !take(text, '.')) return false;
    std::size_t digits = 0;
    int value = 0;
    while (digits < text.size() && digits < 3 && is_digit(text[digits]))
      value = value * 10 + (text[digits++] - '0');
    if (digits == 0 || value > 255 || (digits > 1 && text[0] == '0')) return false;
    text.remove_prefix(digits);
  }
  return text.empty();
}

// RFC 4291 section 2.2.
bool is_ipv6(std::string_view text) {
  int groups = 0;
  bool gap = false;
  if (text.starts_with("::")) {
    gap = true;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    const std::size_t length = std::min(text.find(':'), text.size());
    const std::string_view group = text.substr(0, length);
    if (group.find('.') != std::string_view::npos) {
      if (length != text.size() || !is_ipv4(group)) return false;
      groups += 2;
      break;
    }
    if (group.empty() || group.size() > 4) return false;
    for (const char c : group)
      if (!is_hex(c)) return false;
    ++groups;
    text.remove_prefix(length);
    if (text.empty()) break;
    text.remove_prefix(1);
    if (text.empty()) return false;
    if (take(text, ':')) {
      if (gap) return false;
      gap = true;
    }
  }
  return gap ? groups < 8 : groups == 8;
}

// RFC 1123 section 2.1.
bool is_hostname(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  while (true) {
    const std::size_t length = std::min(text.find('.'), text.size());
    const std::string_view label = text.substr(0, length);
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-')
      return false;
    for (const char c : label)
      if (!is_alnum(c) && c != '-') return false;
    text.remove_prefix(length);
    if (text.empty()) return true;
    text.remove_prefix(1);
  }
}

bool is_email_local(std::string_view local) {
  if (local.empty() || local.size() > 64) return false;
  if (local.size() >= 2 && local.front() == '"' && local.back() == '"') {
    for (std::size_t i = 1; i + 1 < local.size(); ++i) {
      const auto byte = static_cast<unsigned char>(local[i]);
      if (local[i] == '\\' && i + 2 < local.size())
        ++i;
      else if (byte < 0x20 || byte > 0x7e || local[i] == '"' || local[i] == '\\')
        return false;
    }
    return true;
  }
  if (local.front() == '.' || local.back() == '.') return false;
  for (std::size_t i = 0; i < local.size(); ++i) {
    if (local[i] == '.' && local[i + 1] == '.') return false;
    if (!is_alnum(local[i]) &&
        std::string_view("!#$%&'*+-/=?^_`{|}~.").find(local[i]) == std::string_view::npos)
      return false;
  }
  return true;
}

// RFC 5321 section 4.1.2 (Mailbox).
bool is_email(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos || !is_email_local(text.substr(0, at))) return false;
  std::string_view domain = text.substr(at + 1);
  if (domain.size() < 2 || domain.front() != '[' || domain.back() != ']')
    return is_hostname(domain);
  domain = domain.substr(1, domain.size() - 2);
  return domain.starts_with("IPv6:") ? is_ipv6(domain.substr(5)) : is_ipv4(domain);
}

// Characters of a URI part, with percent-escapes (RFC 3986 section 2).
bool has_only(std::string_view text, std::string_view also, bool iri) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) return false;
      i += 2;
      continue;
    }
    if (iri && static_cast<unsigned char>(c) >= 0x80) continue;
    if (!is_alnum(c) && also.find(c) == std::string_view::npos) return false;
  }
  return true;
}

constexpr std::string_view kPathCharacters = "-._~!$&'()*+,;=:@/";
constexpr std::string_view kQueryCharacters = "-._~!$&'()*+,;=:@/?";
constexpr std::string_view kUserCharacters = "-._~!$&'()*+,;=:";

bool is_authority(std::string_view text, bool iri) {
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    if (!has_only(text.substr(0, at), kUserCharacters, iri)) return false;
    text.remove_prefix(at + 1);
  }
  std::string_view port;
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos) return false;
    const std::string_view address = text.substr(1, close - 1);
    if (!is_ipv6(address) && !(address.size() > 3 && (address[0] | 0x20) == 'v')) return false;
    port = text.substr(close + 1);
    if (!port.empty() && port[0] != ':') return false;
  } else {
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos) port = text.substr(colon);
    if (!has_only(text.substr(0, colon), "-._~!$&'()*+,;=", iri)) return false;
  }
  for (std::size_t i = 1; i < port.size(); ++i)
    if (!is_digit(port[i])) return false;
  return true;
}

bool is_reference(std::string_view text, bool need_scheme, bool iri) {
  const std::size_t hash = text.find('#');
  if (hash != std::string_view::npos && !has_only(text.substr(hash + 1), kQueryCharacters, iri))
    return false;
  text = text.substr(0, hash);
  const std::size_t mark = text.find('?');
  if (mark != std::string_view::npos && !has_only(text.substr(mark + 1), kQueryCharacters, iri))
    return false;
  text = text.substr(0, mark);
  const std::size_t colon = text.find(':');
  const bool has_scheme = colon != std::string_view::npos && text.find('/') > colon;
  if (has_scheme) {
    if (colon == 0 || !std::isalpha(static_cast<unsigned char>(text[0]))) return false;
    for (const char c : text.substr(0, colon))
      if (!is_alnum(c) && c != '+' && c != '-' && c != '.') return false;
    text.remove_prefix(colon + 1);
  } else if (need_scheme) {
    return false;
  }
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    const std::string_view authority = text.substr(0, text.find('/'));
    if (!is_authority(authority, iri)) return false;
    text.remove_prefix(authority.size());
  }
  return has_only(text, kPathCharacters, iri);
}

bool is_uri(std::string_view text) {
  return is_reference(text, true, false);
}
bool is_uri_reference(std::string_view text) {
  return is_reference(text, false, false);
}
bool is_iri(std::string_view text) {
  return is_reference(text, true, true);
}
bool is_iri_reference(std::string_view text) {
  return is_reference(text, false, true);
}

// RFC 6531: as is_email, with UTF-8 in both parts; the domain's letters are not looked at further.
bool is_idn_email(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) return false;
  std::string plain(text);
  for (char& c : plain)
    if (static_cast<unsigned char>(c) >= 0x80) c = 'x';
  return is_email(plain);
}

bool is_template_name(std::string_view name) {
  if (name.empty() || name.front() == '.' || name.back() == '.') return false;
  return name.find("..") == std::string_view::npos && has_only(name, "_.", false);
}

// RFC 6570 section 2.4: a name with "*" or ":" and a length of at most four digits.
bool is_template_variable(std::string_view text) {
  if (text.ends_with('*')) return is_template_name(text.substr(0, text.size() - 1));
  const std::size_t colon = text.find(':');
  if (!is_template_name(text.substr(0, colon))) return false;
  if (colon == std::string_view::npos) return true;
  const std::string_view length = text.substr(colon + 1);
  if (length.empty() || length.size() > 4 || length[0] == '0') return false;
  return std::all_of(length.begin(), length.end(), is_digit);
}

bool is_template_expression(std::string_view text) {
  if (!text.empty() && std::string_view("+#./;?&").find(text[0]) != std::string_view::npos)
    text.remove_prefix(1);
  for (;;) {
    const std::size_t comma = text.find(',');
    if (!is_template_variable(text.substr(0, comma))) return false;
    if (comma == std::string_view::npos) return true;
    text.remove_prefix(comma + 1);
  }
}

bool is_uri_template(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (text[i] == '{') {
      const std::size_t close = text.find('}', i);
      if (close == std::string_view::npos ||
          !is_template_expression(text.substr(i + 1, close - i - 1)))
        return false;
      i = close;
    } else if (byte <= 0x20 || byte == 0x7f ||
               std::string_view("\"<>\\^`|}").find(text[i]) != std::string_view::npos) {
      return false;
    } else if (text[i] == '%' && !has_only(text.substr(i, 3), "", false)) {
      return false;
    }
  }
  return true;
}

bool is_uuid(std::string_view text) {
  return Uuid::parse(text).has_value();
}

// RFC 6901 section 3.
bool is_json_pointer(std::string_view text) {
  if (!text.empty() && text[0] != '/') return false;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '~' && (i + 1 == text.size() || (text[i + 1] != '0' && text[i + 1] != '1')))
      return false;
  return true;
}

bool is_relative_json_pointer(std::string_view text) {
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  if (digits == 0 || (digits > 1 && text[0] == '0')) return false;
  text.remove_prefix(digits);
  return text == "#" || is_json_pointer(text);
}

bool is_regex(std::string_view text) {
  const auto pattern = Pattern::compile(text);
  // Look-around is a regular expression, although it is not one that runs here.
  return pattern.has_value() || pattern.error().code == ErrorCode::Unsupported;
}

constexpr std::pair<std::string_view, FormatCheck> kFormats[] = {
    {"date-time", is_date_time},
    {"date", is_date},
    {"time", is_time},
    {"duration", is_duration},
    {"email", is_email},
    {"idn-email", is_idn_email},
    {"hostname", is_hostname},
    {"ipv4", is_ipv4},
    {"ipv6", is_ipv6},
    {"uri", is_uri},
    {"uri-reference", is_uri_reference},
    {"iri", is_iri},
    {"iri-reference", is_iri_reference},
    {"uri-template", is_uri_template},
    {"uuid", is_uuid},
    {"json-pointer", is_json_pointer},
    {"relative-json-pointer", is_relative_json_pointer},
    {"regex", is_regex},
};

}  // namespace

FormatCheck find_format(std::string_view name) {
  for (const auto& [known, check] : kFormats)
    if (known == name) return check;
  return nullptr;
}

}  // namespace weft::contracts
