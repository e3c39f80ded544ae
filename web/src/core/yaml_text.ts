// Values as YAML lines, in the order of their names: what the hub shows and compares. Only writes; the
// server reads YAML.
import { ExactNumber } from './json_text';

export function toYaml(value: unknown): string[] {
  if (isBlock(value)) return block(value, '');
  return [scalar(value)];
}

type Block = unknown[] | Record<string, unknown>;

function isBlock(value: unknown): value is Block {
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return false;
  return Array.isArray(value) ? value.length > 0 : Object.keys(value).length > 0;
}

function block(value: Block, indent: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => listItem(item, indent));
  return Object.entries(value).flatMap(([name, inner]) => entry(name, inner, indent));
}

function entry(name: string, value: unknown, indent: string): string[] {
  const label = `${indent}${plainOrQuoted(name)}:`;
  if (isBlock(value)) return [label, ...block(value, Array.isArray(value) ? indent : `${indent}  `)];
  if (typeof value === 'string' && isLong(value))
    return [`${label} |${chomping(value)}`, ...literal(value, `${indent}  `)];
  return [`${label} ${scalar(value)}`];
}

function listItem(value: unknown, indent: string): string[] {
  if (!isBlock(value)) return [`${indent}- ${scalar(value)}`];
  const inner = block(value, `${indent}  `);
  return [`${indent}- ${inner[0]!.slice(indent.length + 2)}`, ...inner.slice(1)];
}

/** Text of several lines that a literal block can hold without escapes. */
function isLong(text: string): boolean {
  return (
    text.includes('\n') &&
    !/^\s|[^\S\n]\n|[\u0000-\u0008\u000b-\u001f\u007f]/.test(text) &&
    !/\s$/.test(text.replace(/\n+$/, ''))
  );
}

function chomping(text: string): string {
  if (!text.endsWith('\n')) return '-';
  return text.endsWith('\n\n') ? '+' : '';
}

function literal(text: string, indent: string): string[] {
  const lines = text.split('\n');
  if (text.endsWith('\n')) lines.pop();
  return lines.map((line) => (line === '' ? '' : indent + line));
}

function scalar(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (value instanceof ExactNumber) return value.lexeme;
  if (typeof value === 'string') return plainOrQuoted(value);
  if (Array.isArray(value)) return '[]';
  if (typeof value === 'object') return '{}';
  return String(value);
}

// Words and shapes that a YAML reader would take for something other than a string.
const otherTypes =
  /^(?:~|null|true|false|yes|no|on|off|[-+]?(?:\d[\d_]*)?\.?\d+(?:e[-+]?\d+)?|[-+]?\.(?:inf|nan)|0[xob][\da-f_]+|\d{4}-\d{2}-\d{2}.*|[-+]?\d[\d_]*(?::[0-5]?\d)+)$/i;

function plainOrQuoted(text: string): string {
  const plain =
    /^[^\s\-?:,[\]{}#&*!|>'"%@`][^\u0000-\u001f\u007f]*$/.test(text) &&
    !/: |:$| #|\s$/.test(text) &&
    !otherTypes.test(text);
  return plain ? text : JSON.stringify(text);
}
