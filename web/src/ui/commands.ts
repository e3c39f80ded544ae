// The command lines that the hub shows. All of them are here, so that they can be compared with what the
// command line understands.
const quoted = (text: string) => (/^[\w.\-/:@]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

export const commands = {
  demo: 'weft up --demo --ports auto --data weft-demo',
  apply: 'weft apply',
  applyExample: 'weft apply examples/hello',
  doctor: 'weft doctor',
  consume: (stream: string) => `weft stream consume ${quoted(stream)}`,
  produce: (stream: string) => `weft stream produce ${quoted(stream)}`,
  deliveries: (subscription: string) => `weft delivery list --subscription ${quoted(subscription)}`,
  redrive: (id: string) => `weft delivery redrive ${quoted(id)}`,
  trace: (traceId: string) => `weft trace ${quoted(traceId)}`,
  rollback: (generation: number) => `weft rollback ${generation}`,
};
