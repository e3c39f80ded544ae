import { describe, expect, it } from 'vitest';
import { bestMatches, matchScore } from './match';

const pick = (query: string, names: string[]) => bestMatches(query, names, (name) => name, 10);

describe('matching', () => {
  it('takes everything, in order, for an empty query', () => {
    expect(pick(' ', ['b', 'a'])).toEqual(['b', 'a']);
  });
  it('prefers the whole text at the start of a word', () => {
    expect(pick('order', ['reorder points', 'orders.order.created.v1', 'crm order'])[0]).toBe(
      'orders.order.created.v1',
    );
  });
  it('accepts initials', () => {
    expect(pick('ooc', ['orders.order.created.v1', 'stock.item.moved.v1'])).toEqual([
      'orders.order.created.v1',
    ]);
  });
  it('refuses letters in another order', () => {
    expect(matchScore('ba', 'abc')).toBeUndefined();
  });
  it('is blind to case', () => {
    expect(matchScore('CRM', 'crm')).toBeDefined();
  });
});
