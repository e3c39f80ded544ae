// What became of one resource of an administrative request.
#pragma once

#include <string>

#include "eventlog/kafka/protocol/error_code.h"

namespace weft::kafka {

struct Outcome {
  Outcome() {}
  Outcome(KafkaError its_error, std::string its_message)
      : error(its_error), message(std::move(its_message)) {}
  KafkaError error = KafkaError::None;
  std::string message;
};

}  // namespace weft::kafka
