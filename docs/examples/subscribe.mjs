// Subscribe to alerts from Node: each transition once, although Kafka may give it twice.
//
//   npm install kafkajs cloudevents
//   node subscribe.mjs 127.0.0.1:9092 my-group
import { Kafka as Event } from "cloudevents";
import { Kafka } from "kafkajs";

const [servers, group, topic = "brinkwatch.alerts.v1"] = process.argv.slice(2);
const consumer = new Kafka({ brokers: servers.split(","), logLevel: 1 }).consumer({ groupId: group });
const latest = new Map(); // keep it where your own state is kept, if a repeat after a restart would hurt

await consumer.connect(); // kafkajs reads committed transactions only, unless it is told otherwise
await consumer.subscribe({ topic, fromBeginning: true });
await consumer.run({
  // The offset is committed after this has returned: whoever dies before it gets the message again.
  eachMessage: async ({ message }) => {
    const headers = Object.fromEntries(Object.entries(message.headers).map(([key, value]) => [key, value.toString()]));
    const event = Event.toEvent({ headers, key: message.key.toString(), value: message.value.toString() });
    const alert = event.data;
    if (alert.sequence <= (latest.get(alert.alert_id) ?? 0)) return;
    latest.set(alert.alert_id, alert.sequence);
    if (alert.muted == null) {
      console.log(`${alert.at} ${alert.transition} ${alert.level} ${alert.dyad}: ${alert.summary}`);
    }
  },
});

for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => consumer.disconnect());
