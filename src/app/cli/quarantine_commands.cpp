// weft stream rejects and weft dlq: records that broke their stream's contract.
#include "app/cli/admin_client.h"
#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "http/message.h"

namespace weft::app {
namespace {

Result<std::string> only_stream(const Arguments& arguments) {
  if (arguments.positional().size() != 1) {
    return fail(ErrorCode::InvalidArgument, "name exactly one stream");
  }
  return http::percent_encode(arguments.positional()[0]);
}

int print_rejects(const Arguments& arguments) {
  auto stream = only_stream(arguments);
  if (!stream) return report(stream.error());
  auto limit = arguments.number("limit", 1, 500);
  if (!limit) return report(limit.error());
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto answer = client->expect("GET", fmt::format("/streams/{}/rejects?limit={}", *stream, *limit));
  if (!answer) return report(answer.error());
  return show(arguments, answer->json.root(),
              {{"AT", "/at"},
               {"OUTCOME", "/outcome"},
               {"PRINCIPAL", "/principal"},
               {"CLIENT", "/client"},
               {"BROKEN", "/broken"},
               {"SENT", "/sent"},
               {"FIRST", "/index"},
               {"REASON", "/reason"}},
              items_of(answer->json.root()));
}

int list_quarantines(const Arguments& arguments) {
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto answer = client->expect("GET", "/quarantines");
  if (!answer) return report(answer.error());
  return show(arguments, answer->json.root(),
              {{"STREAM", "/stream"},
               {"QUARANTINE", "/quarantine"},
               {"RECORDS", "/records"},
               {"BYTES", "/bytes"}},
              items_of(answer->json.root()));
}

int redrive(const Arguments& arguments) {
  auto stream = only_stream(arguments);
  if (!stream) return report(stream.error());
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto answer = client->expect("POST", fmt::format("/streams/{}/quarantine/redrive", *stream));
  if (!answer) return report(answer.error());
  return show(arguments, answer->json.root(), {{"STORED", "/stored"}, {"KEPT", "/kept"}},
              {answer->json.root()});
}

}  // namespace

std::vector<Command> quarantine_commands() {
  auto rejects_flags = client_flags();
  rejects_flags.push_back({"limit", "N", "so many, newest first", "50", false});
  return {
      {"stream rejects", "Shows what was refused, or put aside, and why", "<stream>", rejects_flags,
       print_rejects},
      {"dlq list", "Lists streams with a quarantine, and how many records wait in each", "",
       client_flags(), list_quarantines},
      {"dlq redrive", "Looks at quarantined records again: those that keep the contract now go on",
       "<stream>", client_flags(), redrive},
  };
}

}  // namespace weft::app
