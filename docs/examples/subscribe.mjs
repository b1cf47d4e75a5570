// Subscribe to alerts from Node: each transition once, although Kafka may give it twice.
//
//   npm install kafkajs cloudevents
//   node subscribe.mjs 127.0.0.1:9092 my-group
//
// Over TLS and as a user, where the environment says so: SASL_USERNAME, SASL_PASSWORD_FILE, and SSL_CAFILE for a CA of your
// own. With the access lists of Brinkwatch the group's name begins with brinkwatch.subscriber.
import { readFileSync } from "node:fs";
import { Kafka as Event } from "cloudevents";
import { Kafka } from "kafkajs";

const [servers, group, topic = "brinkwatch.alerts.v1"] = process.argv.slice(2);
const { SASL_USERNAME: username, SASL_PASSWORD_FILE: file, SSL_CAFILE: ca } = process.env;
const security = username && {
  ssl: ca ? { ca: [readFileSync(ca)] } : true,
  sasl: { mechanism: "scram-sha-512", username, password: readFileSync(file, "utf8").trimEnd() },
};
const consumer = new Kafka({ brokers: servers.split(","), logLevel: 1, ...security }).consumer({ groupId: group });
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
