// Error codes of the Kafka protocol that this broker answers with. Values and meanings are Kafka's
// (org.apache.kafka.common.protocol.Errors).
#pragma once

#include <cstdint>

namespace weft::kafka {

enum class KafkaError : std::int16_t {
  UnknownServerError = -1,
  None = 0,
  OffsetOutOfRange = 1,
  CorruptMessage = 2,
  UnknownTopicOrPartition = 3,
  RequestTimedOut = 7,
  MessageTooLarge = 10,
  OffsetMetadataTooLarge = 12,
  CoordinatorLoadInProgress = 14,
  CoordinatorNotAvailable = 15,
  NotCoordinator = 16,
  InvalidTopic = 17,
  InvalidRequiredAcks = 21,
  IllegalGeneration = 22,
  InconsistentGroupProtocol = 23,
  InvalidGroupId = 24,
  UnknownMemberId = 25,
  InvalidSessionTimeout = 26,
  RebalanceInProgress = 27,
  TopicAuthorizationFailed = 29,
  GroupAuthorizationFailed = 30,
  ClusterAuthorizationFailed = 31,
  UnsupportedSaslMechanism = 33,
  IllegalSaslState = 34,
  UnsupportedVersion = 35,
  TopicAlreadyExists = 36,
  InvalidPartitions = 37,
  InvalidReplicationFactor = 38,
  InvalidReplicaAssignment = 39,
  InvalidConfig = 40,
  InvalidRequest = 42,
  UnsupportedForMessageFormat = 43,
  PolicyViolation = 44,
  OutOfOrderSequenceNumber = 45,
  InvalidProducerEpoch = 47,
  InvalidTxnState = 48,
  InvalidProducerIdMapping = 49,
  InvalidTransactionTimeout = 50,
  ConcurrentTransactions = 51,
  TransactionalIdAuthorizationFailed = 53,
  SecurityDisabled = 54,
  OperationNotAttempted = 55,
  KafkaStorageError = 56,
  SaslAuthenticationFailed = 58,
  NonEmptyGroup = 68,
  GroupIdNotFound = 69,
  FencedLeaderEpoch = 74,
  UnknownLeaderEpoch = 75,
  UnsupportedCompressionType = 76,
  MemberIdRequired = 79,
  GroupMaxSizeReached = 81,
  FencedInstanceId = 82,
  ElectionNotNeeded = 84,
  GroupSubscribedToTopic = 86,
  InvalidRecord = 87,
  UnstableOffsetCommit = 88,
  ThrottlingQuotaExceeded = 89,
  ProducerFenced = 90,
  ResourceNotFound = 91,
  UnacceptableCredential = 93,
  UnknownTopicId = 100,
  TransactionalIdNotFound = 105,
  TransactionAbortable = 120,
};

constexpr std::int16_t code(KafkaError error) {
  return static_cast<std::int16_t>(error);
}

}  // namespace weft::kafka
