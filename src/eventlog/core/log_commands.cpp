#include "eventlog/core/log_commands.h"

namespace weft::eventlog {

namespace {

// The command's number is its index in the variant: append new ones at the end.
struct Encoder {
  FieldWriter fields;

  void operator()(const StreamCreated& command) { write_stream(fields, command.stream); }
  void operator()(const StreamAltered& command) {
    StreamInfo stream;
    stream.id = command.id;
    stream.settings = command.settings;
    write_stream(fields, stream);
  }
  void operator()(const StreamDeleted& command) {
    fields.number(static_cast<std::uint32_t>(command.id));
  }
  void operator()(const ProducerIdsReserved& command) { fields.number(command.next); }
  void operator()(const StartMoved& command) {
    fields.partition(command.partition);
    fields.number(command.start);
  }
  void operator()(const OffsetsSkipped& command) {
    fields.partition(command.partition);
    fields.number(command.next);
  }
  void operator()(const StreamRetired& command) {
    fields.number(static_cast<std::uint32_t>(command.id));
    write_retired(fields, command.since);
  }
};

LogCommand decode_fields(std::uint8_t number, FieldReader& fields) {
  switch (number) {
    case 0:
      return StreamCreated{read_stream(fields)};
    case 1: {
      auto stream = read_stream(fields);
      return StreamAltered{stream.id, std::move(stream.settings)};
    }
    case 2:
      return StreamDeleted{static_cast<StreamId>(fields.number<std::uint32_t>())};
    case 3:
      return ProducerIdsReserved{fields.number<std::int64_t>()};
    case 4: {
      auto partition = fields.partition();
      return StartMoved{partition, fields.number<std::int64_t>()};
    }
    case 5: {
      auto partition = fields.partition();
      return OffsetsSkipped{partition, fields.number<std::int64_t>()};
    }
    default: {
      auto stream = static_cast<StreamId>(fields.number<std::uint32_t>());
      return StreamRetired{stream, read_retired(fields)};
    }
  }
}

}  // namespace

void write_stream(FieldWriter& fields, const StreamInfo& stream) {
  const auto& settings = stream.settings;
  fields.number(static_cast<std::uint32_t>(stream.id));
  fields.uuid(stream.topic_id);
  fields.number(to_unix_ms(stream.created));
  fields.text(settings.tenant);
  fields.text(settings.name);
  fields.number(settings.partitions);
  fields.number(static_cast<std::int64_t>(settings.retention.count()));
  fields.number(settings.retention_bytes);
  fields.number(static_cast<std::uint8_t>(settings.durability));
  fields.number(static_cast<std::uint8_t>(settings.cleanup));
  fields.number(settings.batch_bytes_max);
}

StreamInfo read_stream(FieldReader& fields) {
  StreamInfo stream;
  auto& settings = stream.settings;
  stream.id = static_cast<StreamId>(fields.number<std::uint32_t>());
  stream.topic_id = fields.uuid();
  stream.created = from_unix_ms(fields.number<std::int64_t>());
  settings.tenant = fields.text();
  settings.name = fields.text();
  settings.partitions = fields.number<std::int32_t>();
  settings.retention = Duration(fields.number<std::int64_t>());
  settings.retention_bytes = fields.number<std::uint64_t>();
  settings.durability = static_cast<Durability>(fields.number<std::uint8_t>());
  settings.cleanup = static_cast<Cleanup>(fields.number<std::uint8_t>());
  settings.batch_bytes_max = fields.number<std::uint32_t>();
  return stream;
}

// Milliseconds since 1970; 0: not retired.
void write_retired(FieldWriter& fields, const std::optional<WallTime>& since) {
  fields.number(since ? to_unix_ms(*since) : std::int64_t{0});
}

std::optional<WallTime> read_retired(FieldReader& fields) {
  auto since_ms = fields.number<std::int64_t>();
  if (since_ms == 0) return std::nullopt;
  return from_unix_ms(since_ms);
}

std::string encode_command(const LogCommand& command) {
  std::string bytes;
  FieldWriter fields(bytes);
  fields.number(static_cast<std::uint8_t>(command.index()));
  std::visit(Encoder{fields}, command);
  return bytes;
}

Result<LogCommand> decode_command(std::string_view bytes) {
  FieldReader fields(bytes);
  auto number = fields.number<std::uint8_t>();
  if (fields.ok() && number >= std::variant_size_v<LogCommand>) {
    return fail(ErrorCode::FailedPrecondition,
                "written by a newer version: command {} of the write-ahead log is unknown", number);
  }
  auto command = decode_fields(number, fields);
  if (!fields.ok()) return fail(ErrorCode::DataLoss, "malformed command {}", number);
  return command;
}

}  // namespace weft::eventlog
