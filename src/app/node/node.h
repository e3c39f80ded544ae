// A node: every module made, plugged together, started and stopped, in the order that can be read
// here. The composition root; nobody includes it but the program's main.
//
//   TRY(auto node, Node::create(settings));
//   CHECK(node->start());       // everything is up and listens, or nothing is
//   node->run();                // until request_stop(), which is safe in any thread
//
// The thread that calls these is the control thread: it owns the node's slow affairs (signals,
// reconciling, sampling); requests run on the loops.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "app/settings/settings.h"
#include "base/result.h"

namespace weft::app {

// Where a node listens, as a person writes it; empty where it does not, for want of the role.
struct NodeAddresses {
  std::string hub;      // http://127.0.0.1:8080
  std::string gateway;  // http://127.0.0.1:8000
  std::string kafka;    // 127.0.0.1:9092
  std::string ops;      // http://127.0.0.1:9600
  std::string otlp;     // http://127.0.0.1:4318; empty: telemetry.otlpReceiver is off
  // Empty without a certificate.
  std::string hub_tls;      // https://127.0.0.1:8443
  std::string gateway_tls;  // https://127.0.0.1:8444
  std::string kafka_tls;    // 127.0.0.1:9094
};

class Node {
 public:
  static Result<std::unique_ptr<Node>> create(Settings settings);
  ~Node();

  Result<> start();
  // Drains and ends everything before it returns. `stop_on_signal`: SIGINT and SIGTERM end it.
  void run();
  void request_stop();

  const NodeAddresses& addresses() const;
  std::string data_folder() const;
  std::string admin_token() const;

 private:
  struct Parts;
  explicit Node(std::unique_ptr<Parts> parts);
  static Result<> open(Parts& parts);
  static void abandon(Parts& parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace weft::app
