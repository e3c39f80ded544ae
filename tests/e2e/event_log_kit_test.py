"""The cases that every back end of the event log passes; the cluster is a node's own Kafka door here."""
from event_log_kit import NAMESPACE, matrix_of


def test_the_cluster_back_end_does_what_the_own_log_does(weft_factory, tmp_path):
    (tmp_path / "estate").mkdir()
    (tmp_path / "estate/estate.yaml").write_text(NAMESPACE)
    node = weft_factory(estate=tmp_path / "estate", settings=["kafka.anonymous=true"]).start()

    matrix = matrix_of(node.kafka)

    assert len(matrix) >= 18, matrix
    unsupported = {name: states for name, states in matrix.items() if states != ("yes", "yes")}
    assert unsupported == {"StreamsInMemory": ("yes", "unsupported"), "RetiresStreams": ("yes", "unsupported"),
                           "AWriterThatIsOpenedAgainShutsTheOlderOut": ("unsupported", "yes")}
