"""What every user of a current librdkafka has to know."""
import confluent_kafka


def recovery():
    """Settings for librdkafka 2.10 and later, which otherwise wait for ever for the coordinator of a group in
    send_offsets_to_transaction when the only node was down meanwhile, against any Kafka: confluentinc/librdkafka#5511."""
    knows = confluent_kafka.libversion()[1] >= 0x020a0000
    return {"metadata.recovery.strategy": "none"} if knows else {}
