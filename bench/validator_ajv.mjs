// The peer of validator_bench: ajv over the files that it wrote. ajv comes from web/node_modules, or from the
// folder in AJV_FROM.
import fs from 'node:fs';
import { createRequire } from 'node:module';

const folder = process.argv[2];
const from = process.env.AJV_FROM ?? new URL('../web/', import.meta.url).pathname;
const Ajv = createRequire(from + '/')('ajv/dist/2020').default;
const validate = new Ajv().compile(JSON.parse(fs.readFileSync(folder + '/schema.json', 'utf8')));
const texts = fs.readFileSync(folder + '/orders.jsonl', 'utf8').trim().split('\n');
const documents = texts.map((text) => JSON.parse(text));

const rounds = 41;
const passes = 20;
let accepted = 0;

function measure(name, pass) {
  const figures = [];
  for (let round = 0; round < rounds; ++round) {
    const start = process.cpuUsage();
    for (let i = 0; i < passes; ++i) pass();
    const used = process.cpuUsage(start);
    figures.push(((used.user + used.system) * 1000) / (passes * texts.length));
  }
  figures.sort((a, b) => a - b);
  const best = figures[0].toFixed(1);
  const median = figures[rounds >> 1].toFixed(1);
  console.log(`{"bench":"validator-ajv","case":"${name}","unit":"ns","best":${best},"median":${median}}`);
}

measure('validate', () => {
  for (const document of documents) accepted += validate(document) ? 1 : 0;
});
measure('parse and validate', () => {
  for (const text of texts) accepted += validate(JSON.parse(text)) ? 1 : 0;
});
if (accepted !== 2 * rounds * passes * texts.length) throw new Error('an order was refused');
