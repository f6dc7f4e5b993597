import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.File;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.avro.Schema;
import org.apache.avro.generic.GenericData;
import org.apache.avro.generic.GenericRecord;
import org.apache.avro.generic.GenericRecordBuilder;
import org.apache.avro.message.BinaryMessageDecoder;
import org.apache.avro.message.BinaryMessageEncoder;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.clients.producer.internals.BuiltInPartitioner;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * What a program of somebody else does, with nothing but Kafka's client and stock Avro.
 *
 * <pre>
 * Interop partitions COUNT                 of each key on stdin, its partition
 * Interop open SERVERS COMMANDS EVENTS SCHEMAS ACCOUNT PLAN
 *                                          sends OpenAccount, prints the event it caused
 * </pre>
 */
public class Interop {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    public static void main(String[] words) throws Exception {
        switch (words[0]) {
            case "partitions" -> partitions(Integer.parseInt(words[1]));
            case "open" -> open(words);
            default -> throw new IllegalArgumentException(words[0]);
        }
    }

    private static void partitions(int count) throws Exception {
        var keys = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String key = keys.readLine(); key != null; key = keys.readLine()) {
            byte[] bytes = key.getBytes(StandardCharsets.UTF_8);
            System.out.println(BuiltInPartitioner.partitionForKey(bytes, count));
        }
    }

    private static void open(String[] words) throws Exception {
        var schemas = new File(words[4]);
        UUID commandId = UUID.randomUUID();
        Schema schema = new Schema.Parser().parse(new File(schemas, "command/OpenAccount.v1.avsc"));
        GenericRecord command = new GenericRecordBuilder(schema)
            .set("command_id", fixed(schema, commandId))
            .set("issued_at", System.currentTimeMillis())
            .set("account_id", words[5])
            .set("plan_id", words[6])
            .set("country", "SE")
            .build();
        ByteBuffer value = new BinaryMessageEncoder<GenericRecord>(GenericData.get(), schema)
            .encode(command);
        RecordMetadata sent = send(words[1], words[2], words[5], value);
        GenericRecord event = awaitEvent(words[1], words[3], decoder(schemas), commandId);
        Map<String, Object> told = new LinkedHashMap<>();
        told.put("sent_command_id", commandId.toString());
        told.put("partition", sent.partition());
        told.put("name", event.getSchema().getName());
        for (Schema.Field field : event.getSchema().getFields()) {
            Object found = event.get(field.pos());
            told.put(field.name(), found instanceof GenericData.Fixed fixed
                ? uuid(fixed).toString()
                : found instanceof CharSequence ? found.toString() : found);
        }
        System.out.println(new ObjectMapper().writeValueAsString(told));
    }

    /** By the client's own settings: its default partitioner puts the key where it belongs. */
    private static RecordMetadata send(String servers, String topic, String key, ByteBuffer value)
            throws Exception {
        byte[] bytes = Arrays.copyOfRange(value.array(), value.arrayOffset() + value.position(),
            value.arrayOffset() + value.limit());
        try (var producer = new KafkaProducer<>(Map.of("bootstrap.servers", servers),
                new ByteArraySerializer(), new ByteArraySerializer())) {
            return producer.send(new ProducerRecord<>(topic, key.getBytes(StandardCharsets.UTF_8),
                bytes)).get();
        }
    }

    private static BinaryMessageDecoder<GenericRecord> decoder(File schemas) throws Exception {
        var decoder = new BinaryMessageDecoder<GenericRecord>(GenericData.get(), null);
        for (File file : new File(schemas, "event").listFiles()) {
            decoder.addSchema(new Schema.Parser().parse(file));
        }
        return decoder;
    }

    private static GenericRecord awaitEvent(String servers, String topic,
            BinaryMessageDecoder<GenericRecord> decoder, UUID commandId) throws Exception {
        try (var consumer = new KafkaConsumer<>(Map.<String, Object>of("bootstrap.servers", servers),
                new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> all = consumer.partitionsFor(topic).stream()
                .map(one -> new TopicPartition(topic, one.partition())).toList();
            consumer.assign(all);
            consumer.seekToBeginning(all);
            long deadline = System.nanoTime() + PATIENCE.toNanos();
            while (System.nanoTime() < deadline) {
                for (var record : consumer.poll(Duration.ofMillis(200))) {
                    GenericRecord event = decoder.decode(record.value());
                    if (uuid((GenericData.Fixed) event.get("command_id")).equals(commandId)) {
                        return event;
                    }
                }
            }
        }
        throw new IllegalStateException("no event of command " + commandId);
    }

    private static GenericData.Fixed fixed(Schema schema, UUID id) {
        ByteBuffer bytes = ByteBuffer.allocate(16);
        bytes.putLong(id.getMostSignificantBits()).putLong(id.getLeastSignificantBits());
        return new GenericData.Fixed(schema.getField("command_id").schema(), bytes.array());
    }

    private static UUID uuid(GenericData.Fixed fixed) {
        ByteBuffer bytes = ByteBuffer.wrap(fixed.bytes());
        return new UUID(bytes.getLong(), bytes.getLong());
    }
}
