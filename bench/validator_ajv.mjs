// The peer of validator_bench, with the same input and answers: `node validator_ajv.mjs FOLDER`. ajv comes from
// bench/node, or from the node_modules of the folder in AJV_FROM.
import fs from 'node:fs';
import { createRequire } from 'node:module';

const folder = process.argv[2];
const from = process.env.AJV_FROM ?? new URL('node/', import.meta.url).pathname;
const Ajv = createRequire(from + '/')('ajv/dist/2020').default;
// The default settings: optimize: 2, messages: false and the class for draft 7 were tried and are no faster.
const validate = new Ajv().compile(JSON.parse(fs.readFileSync(folder + '/schema.json', 'utf8')));
const texts = fs.readFileSync(folder + '/orders.jsonl', 'utf8').trim().split('\n');
const documents = texts.map((text) => JSON.parse(text));

const cases = {
  validate() {
    let accepted = 0;
    for (const document of documents) accepted += validate(document) ? 1 : 0;
    return accepted;
  },
  'parse-and-validate'() {
    let accepted = 0;
    for (const text of texts) accepted += validate(JSON.parse(text)) ? 1 : 0;
    return accepted;
  },
  parse() {
    let accepted = 0;
    for (const text of texts) accepted += JSON.parse(text) === null ? 0 : 1;
    return accepted;
  },
};

function measure(name, passes) {
  const pass = cases[name];
  let accepted = 0;
  const start = process.cpuUsage();
  for (let i = 0; i < passes; ++i) accepted += pass();
  const used = process.cpuUsage(start);
  if (accepted !== passes * texts.length) throw new Error(`${name}: not all accepted`);
  return ((used.user + used.system) * 1000) / (passes * texts.length);
}

// Input is read when it comes, so that nothing else runs while a figure is taken.
const buffer = Buffer.alloc(256);
let rest = '';
for (;;) {
  const size = fs.readSync(0, buffer);
  if (size === 0) break;
  rest += buffer.toString('latin1', 0, size);
  for (let end; (end = rest.indexOf('\n')) >= 0; rest = rest.slice(end + 1)) {
    const [name, passes] = rest.slice(0, end).split(' ');
    fs.writeSync(1, measure(name, Number(passes)).toFixed(2) + '\n');
  }
}
