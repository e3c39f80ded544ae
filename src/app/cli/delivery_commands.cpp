#include <fmt/format.h>

#include "app/cli/admin_client.h"
#include "app/cli/commands.h"
#include "app/cli/output.h"
#include "http/message.h"

namespace weft::app {
namespace {

const std::vector<Column> kDeliveryColumns = {
    {"DELIVERY", "/id"},       {"SUBSCRIPTION", "/subscription"},
    {"STATUS", "/status"},     {"ATTEMPTS", "/attempts"},
    {"LAST", "/lastError"},    {"NEXT", "/nextAttemptAt"},
    {"CREATED", "/createdAt"}, {"TRACE", "/traceId"}};

int print_subscriptions(const Arguments& arguments) {
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto answer = client->expect("GET", "/subscriptions?limit=500");
  if (!answer) return report(answer.error());
  return show(arguments, answer->json.root(),
              {{"SUBSCRIPTION", "/name"},
               {"STREAM", "/stream"},
               {"STATUS", "/status"},
               {"PENDING", "/pending"},
               {"FAILING", "/failing"},
               {"DEAD", "/dead"},
               {"DELIVERED", "/delivered"},
               {"LAST ERROR", "/lastError"}},
              items_of(answer->json.root()));
}

int print_deliveries(const Arguments& arguments) {
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto query = query_string({{"subscription", arguments.get("subscription")},
                             {"status", arguments.get("status")},
                             {"eventId", arguments.get("event")},
                             {"limit", arguments.get("limit")}});
  auto answer = client->expect("GET", "/deliveries" + query);
  if (!answer) return report(answer.error());
  return show(arguments, answer->json.root(), kDeliveryColumns, items_of(answer->json.root()));
}

int show_delivery(const Arguments& arguments) {
  if (arguments.positional().size() != 1) {
    return report(
        Error{ErrorCode::InvalidArgument, "name one delivery; `weft delivery list` shows them"});
  }
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  auto answer =
      client->expect("GET", "/deliveries/" + http::percent_encode(arguments.positional()[0]));
  if (!answer) return report(answer.error());
  const auto& root = answer->json.root();
  if (arguments.get("output") == "table") fmt::print("{}\n", yaml_text(*root.find("delivery")));
  const auto* attempts = root.find("attempts");
  std::vector<Json> rows(attempts->elements().begin(), attempts->elements().end());
  return show(arguments, root,
              {{"ATTEMPT", "/number"},
               {"STARTED", "/startedAt"},
               {"MS", "/durationMs"},
               {"OUTCOME", "/outcome"},
               {"STATUS", "/response/status"},
               {"ERROR", "/error"},
               {"NEXT", "/nextAttemptAt"}},
              rows);
}

int request_redrive(const Arguments& arguments) {
  auto all = arguments.get("subscription");
  if (arguments.positional().empty() == all.empty()) {
    return report(Error{ErrorCode::InvalidArgument,
                        "name deliveries, or --subscription NAME for all of its dead letters"});
  }
  auto client = AdminClient::connect(arguments);
  if (!client) return report(client.error());
  if (!all.empty()) {
    auto answer =
        client->expect("POST", "/subscriptions/" + http::percent_encode(all) + "/redrive");
    if (!answer) return report(answer.error());
    return show(arguments, answer->json.root(), {{"REDRIVEN", "/redriven"}}, {answer->json.root()});
  }
  for (const auto& id : arguments.positional()) {
    auto answer = client->expect("POST", "/deliveries/" + http::percent_encode(id) + "/redrive");
    if (!answer) return report(answer.error());
    if (auto status = show(arguments, answer->json.root(), kDeliveryColumns, {answer->json.root()});
        status != 0) {
      return status;
    }
  }
  return 0;
}

}  // namespace

std::vector<Command> delivery_commands() {
  auto list_flags = client_flags();
  list_flags.push_back({"subscription", "NAME", "of this subscription", "", false});
  list_flags.push_back({"status", "STATUS", "pending, failing, delivered or dead", "", false});
  list_flags.push_back({"event", "ID", "of this event", "", false});
  list_flags.push_back({"limit", "N", "so many, newest first", "50", false});
  auto redrive_flags = client_flags();
  redrive_flags.push_back(
      {"subscription", "NAME", "all dead letters of this subscription", "", false});
  return {
      {"subscription list", "Lists subscriptions with the state of their deliveries", "",
       client_flags(), print_subscriptions},
      {"delivery list", "Lists deliveries, newest first", "", list_flags, print_deliveries},
      {"delivery show", "Shows one delivery with each attempt", "<delivery>", client_flags(),
       show_delivery},
      {"delivery redrive", "Sends dead letters again", "[delivery...]", redrive_flags,
       request_redrive},
  };
}

}  // namespace weft::app
