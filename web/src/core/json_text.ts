// Pretty-prints JSON text without reading it into numbers: 123456789012345678.12 keeps every digit, and
// names keep their order and escapes. Works on tokens, so that they can be coloured.

export type JsonToken = { kind: 'name' | 'string' | 'number' | 'literal' | 'mark' | 'space'; text: string };

type Lexeme = { text: string; kind: JsonToken['kind'] };

const lexemePattern = /\s+|"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|[{}[\]:,]/gy;

// A container without containers inside is put on one line up to this width.
const kInlineWidth = 64;
const kIndent = '  ';

/** Lines of tokens; undefined when the text is not JSON (shown raw then). */
export function prettyJson(text: string): JsonToken[][] | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  const lexemes = scan(text);
  return lexemes && layOut(lexemes);
}

/** The pretty form as text, for copying. */
export function prettyJsonText(text: string): string {
  const lines = prettyJson(text);
  return lines ? lines.map((line) => line.map((token) => token.text).join('')).join('\n') : text;
}

function scan(text: string): Lexeme[] | undefined {
  const lexemes: Lexeme[] = [];
  lexemePattern.lastIndex = 0;
  while (lexemePattern.lastIndex < text.length) {
    const match = lexemePattern.exec(text);
    if (!match) return undefined;
    const lexeme = match[0];
    const first = lexeme[0]!;
    if (/\s/.test(first)) continue;
    lexemes.push({ text: lexeme, kind: kindOf(first) });
  }
  return lexemes;
}

function kindOf(first: string): JsonToken['kind'] {
  if (first === '"') return 'string';
  if (first === '-' || (first >= '0' && first <= '9')) return 'number';
  return /[tfn]/.test(first) ? 'literal' : 'mark';
}

function layOut(lexemes: Lexeme[]): JsonToken[][] {
  const lines: JsonToken[][] = [];
  let line: JsonToken[] = [];
  let depth = 0;
  const put = (kind: JsonToken['kind'], text: string) => line.push({ kind, text });
  const breakLine = () => {
    lines.push(line);
    line = depth > 0 ? [{ kind: 'space', text: kIndent.repeat(depth) }] : [];
  };
  for (let at = 0; at < lexemes.length; at += 1) {
    const { text, kind } = lexemes[at]!;
    if (text === '{' || text === '[') {
      const end = inlineEnd(lexemes, at);
      if (end !== undefined) {
        putInline(lexemes.slice(at, end + 1), put);
        at = end;
        continue;
      }
      put('mark', text);
      depth += 1;
      breakLine();
    } else if (kind === 'mark' && (text === '}' || text === ']')) {
      depth -= 1;
      breakLine();
      put('mark', text);
    } else if (kind === 'mark' && text === ',') {
      put('mark', text);
      breakLine();
    } else if (kind === 'mark') {
      put('mark', ': ');
    } else {
      put(isName(lexemes, at) ? 'name' : kind, text);
    }
  }
  lines.push(line);
  return lines;
}

function isName(lexemes: Lexeme[], at: number): boolean {
  const next = lexemes[at + 1];
  return next?.kind === 'mark' && next.text === ':';
}

/** The index of the closing mark when the container fits on one line; undefined otherwise. */
function inlineEnd(lexemes: Lexeme[], at: number): number | undefined {
  let width = 0;
  for (let end = at + 1; end < lexemes.length; end += 1) {
    const { text, kind } = lexemes[end]!;
    if (kind === 'mark' && (text === '}' || text === ']')) return end;
    if (kind === 'mark' && (text === '{' || text === '[')) return undefined;
    width += text.length + 1;
    if (width > kInlineWidth) return undefined;
  }
  return undefined;
}

function putInline(lexemes: Lexeme[], put: (kind: JsonToken['kind'], text: string) => void) {
  const padded = lexemes.length > 2 && lexemes[0]!.text === '{';
  lexemes.forEach(({ text, kind }, at) => {
    if (at === 0) {
      put('mark', padded ? `${text} ` : text);
    } else if (at === lexemes.length - 1) {
      put('mark', padded ? ` ${text}` : text);
    } else if (kind === 'mark') {
      put('mark', `${text} `);
    } else {
      put(isName(lexemes, at) ? 'name' : kind, text);
    }
  });
}

/** A number whose digits JavaScript cannot hold; prints as it was written. */
export class ExactNumber {
  constructor(readonly lexeme: string) {}
  toString() {
    return this.lexeme;
  }
}

type ReviverContext = { source?: string };

/** JSON.parse that keeps the digits of numbers that a double would change, where the browser tells them. */
export function parseExact(text: string): unknown {
  const revive = (_name: string, value: unknown, context?: ReviverContext) =>
    typeof value === 'number' && context?.source !== undefined && String(value) !== context.source
      ? new ExactNumber(context.source)
      : value;
  return JSON.parse(text, revive as (name: string, value: unknown) => unknown);
}

/** JSON.stringify with two spaces that prints exact numbers as they were written. */
export function exactJson(value: unknown): string {
  const quoted = JSON.stringify(value, (_name, inner: unknown) =>
    inner instanceof ExactNumber ? `\u0000${inner.lexeme}` : inner,
  );
  return prettyJsonText(quoted.replace(/"\\u0000([-+.0-9eE]+)"/g, '$1'));
}
