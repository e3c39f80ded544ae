// The command lines that the hub shows. All of them are here, so that they can be compared with what the
// command line understands.
import type { GroupReset } from '../api/schema';

const quoted = (text: string) => (/^[\w.\-/:@]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

export const commands = {
  demo: 'weft up --demo --ports auto --data weft-demo',
  apply: 'weft apply',
  applyExample: 'weft apply examples/hello',
  doctor: 'weft doctor',
  consume: (stream: string) => `weft stream consume ${quoted(stream)}`,
  produce: (stream: string) => `weft stream produce ${quoted(stream)}`,
  consumeKey: (stream: string, key: string) => `weft stream consume ${quoted(stream)} --key ${quoted(key)}`,
  rejects: (stream: string) => `weft stream rejects ${quoted(stream)}`,
  redriveQuarantine: (stream: string) => `weft dlq redrive ${quoted(stream)}`,
  group: (group: string) => `weft group describe ${quoted(group)}`,
  resetGroup: (group: string, reset: GroupReset) =>
    [
      `weft group reset ${quoted(group)}`,
      reset.to === 'time' ? `--time ${reset.time}` : `--${reset.to}`,
      ...(reset.number === undefined ? [] : [String(reset.number)]),
      ...(reset.stream === undefined ? [] : [`--stream ${quoted(reset.stream)}`]),
      '--execute',
    ].join(' '),
  deliveries: (subscription: string) => `weft delivery list --subscription ${quoted(subscription)}`,
  redrive: (id: string) => `weft delivery redrive ${quoted(id)}`,
  trace: (traceId: string) => `weft trace ${quoted(traceId)}`,
  rollback: (generation: number) => `weft rollback ${generation}`,
};
