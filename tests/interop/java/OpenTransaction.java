// Writes one record in a transaction, prints its offset, and commits when it is told to by a line: prints "committed", or
// the name of what refused it. Arguments: the server, the topic, the transactional id.
import java.util.Map;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.StringSerializer;

public class OpenTransaction {
  public static void main(String[] arguments) throws Exception {
    var config = Map.<String, Object>of("bootstrap.servers", arguments[0], "transactional.id", arguments[2]);
    try (var producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer())) {
      producer.initTransactions();
      producer.beginTransaction();
      System.out.println(producer.send(new ProducerRecord<>(arguments[1], 0, null, "open")).get().offset());
      System.in.read();
      producer.commitTransaction();
      System.out.println("committed");
    } catch (KafkaException refused) {
      System.out.println(refused.getClass().getSimpleName());
    }
  }
}
