// Compares two texts line by line, for the before and after of a change.

export type DiffLine = {
  kind: 'same' | 'removed' | 'added';
  text: string;
  /** Line numbers, from 1, in the text that has the line. */
  before?: number;
  after?: number;
};

/** A run of lines to show, or a count of equal lines that are left out. */
export type DiffPart = { lines: DiffLine[] } | { skipped: number };

// Above this many cells the middle is shown as removed and added as a whole.
const kCellsMax = 4_000_000;

/** The shortest edit by longest common subsequence. */
export function diffLines(before: string[], after: string[]): DiffLine[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  while (
    tail < before.length - head &&
    tail < after.length - head &&
    before[before.length - 1 - tail] === after[after.length - 1 - tail]
  ) {
    tail += 1;
  }
  const result: DiffLine[] = [];
  const same = (i: number, j: number) =>
    result.push({ kind: 'same', text: before[i]!, before: i + 1, after: j + 1 });
  for (let i = 0; i < head; i += 1) same(i, i);
  middle(before, after, head, before.length - tail, after.length - tail, result);
  for (let k = tail; k > 0; k -= 1) same(before.length - k, after.length - k);
  return result;
}

function middle(
  before: string[],
  after: string[],
  head: number,
  beforeEnd: number,
  afterEnd: number,
  result: DiffLine[],
) {
  const rows = beforeEnd - head;
  const columns = afterEnd - head;
  const lengths = rows * columns <= kCellsMax ? commonLengths(before, after, head, rows, columns) : undefined;
  const width = columns + 1;
  let i = 0;
  let j = 0;
  while (i < rows || j < columns) {
    const equal = i < rows && j < columns && before[head + i] === after[head + j];
    if (equal && lengths) {
      result.push({ kind: 'same', text: before[head + i]!, before: head + i + 1, after: head + j + 1 });
      i += 1;
      j += 1;
    } else if (
      i < rows &&
      (j === columns || !lengths || lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!)
    ) {
      result.push({ kind: 'removed', text: before[head + i]!, before: head + i + 1 });
      i += 1;
    } else {
      result.push({ kind: 'added', text: after[head + j]!, after: head + j + 1 });
      j += 1;
    }
  }
}

/** lengths[i][j]: the longest common subsequence of what follows i and j. */
function commonLengths(
  before: string[],
  after: string[],
  head: number,
  rows: number,
  columns: number,
): Uint32Array {
  const width = columns + 1;
  const lengths = new Uint32Array((rows + 1) * width);
  for (let i = rows - 1; i >= 0; i -= 1) {
    for (let j = columns - 1; j >= 0; j -= 1) {
      lengths[i * width + j] =
        before[head + i] === after[head + j]
          ? lengths[(i + 1) * width + j + 1]! + 1
          : Math.max(lengths[(i + 1) * width + j]!, lengths[i * width + j + 1]!);
    }
  }
  return lengths;
}

/** Keeps `context` equal lines around each change and counts the others. */
export function foldDiff(lines: DiffLine[], context = 3): DiffPart[] {
  const keep = new Array<boolean>(lines.length).fill(false);
  lines.forEach((line, at) => {
    if (line.kind === 'same') return;
    for (let k = Math.max(0, at - context); k <= Math.min(lines.length - 1, at + context); k += 1)
      keep[k] = true;
  });
  const parts: DiffPart[] = [];
  for (let at = 0; at < lines.length;) {
    const start = at;
    while (at < lines.length && keep[at] === keep[start]) at += 1;
    const run = lines.slice(start, at);
    // One left-out line takes as much room as the note about it.
    const last = parts.at(-1);
    if (keep[start] || run.length === 1) {
      if (last && 'lines' in last) last.lines.push(...run);
      else parts.push({ lines: run });
    } else {
      parts.push({ skipped: run.length });
    }
  }
  return joined(parts);
}

function joined(parts: DiffPart[]): DiffPart[] {
  const result: DiffPart[] = [];
  for (const part of parts) {
    const last = result.at(-1);
    if (last && 'lines' in last && 'lines' in part) last.lines.push(...part.lines);
    else result.push(part);
  }
  return result;
}
