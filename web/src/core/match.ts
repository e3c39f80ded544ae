// How well a typed text matches a name, for the command palette. Pure.

/** Higher is better; undefined is no match. Letters must occur in order; word starts and runs count more. */
export function matchScore(query: string, name: string): number | undefined {
  const wanted = query.trim().toLowerCase().replace(/\s+/g, ' ');
  const text = name.toLowerCase();
  if (wanted === '') return 0;
  const whole = text.indexOf(wanted);
  if (whole >= 0) return 1000 - whole - text.length / 100 + (isWordStart(text, whole) ? 100 : 0);
  let score = 0;
  let at = -1;
  for (const letter of wanted) {
    if (letter === ' ') continue;
    const next = text.indexOf(letter, at + 1);
    if (next < 0) return undefined;
    score += next === at + 1 ? 5 : isWordStart(text, next) ? 4 : 0;
    at = next;
  }
  return score - text.length / 100;
}

function isWordStart(text: string, at: number): boolean {
  return at === 0 || /[\s.\-_/:]/.test(text[at - 1]!);
}

export function bestMatches<T>(query: string, items: T[], nameOf: (item: T) => string, limit: number): T[] {
  return items
    .map((item, order) => ({ item, order, score: matchScore(query, nameOf(item)) }))
    .filter((one) => one.score !== undefined)
    .sort((a, b) => b.score! - a.score! || a.order - b.order)
    .slice(0, limit)
    .map((one) => one.item);
}
