import { describe, expect, it } from 'vitest';
import { linksOf, pageOf, pathTo, tokenOf, withQuery } from './routes';

describe('pageOf', () => {
  it('reads back the paths that the hub makes', () => {
    const odd = 'a/b c?d#e%.v1';
    expect(pageOf(pathTo.stream(odd))).toEqual({ page: 'stream', name: odd });
    expect(pageOf(pathTo.group(odd))).toEqual({ page: 'group', name: odd });
    expect(pageOf(pathTo.delivery(odd))).toEqual({ page: 'delivery', id: odd });
    expect(pageOf(pathTo.trace('4b'))).toEqual({ page: 'trace', traceId: '4b' });
    expect(pageOf(pathTo.resource(odd, odd))).toEqual({ page: 'resource', kind: odd, name: odd });
    expect(pageOf(pathTo.generation(12))).toEqual({ page: 'generation', number: 12 });
  });
  it('ignores a slash at the end', () => {
    expect(pageOf('/')).toEqual({ page: 'overview' });
    expect(pageOf('/streams/')).toEqual({ page: 'streams' });
    expect(pageOf('/groups/')).toEqual({ page: 'groups' });
  });
  it('knows what it does not know', () => {
    for (const path of ['/nope', '/streams/a/b', '/changes/x', '/resources/Stream']) {
      expect(pageOf(path), path).toEqual({ page: 'missing' });
    }
  });
  it('does not fail on a broken escape', () => {
    expect(pageOf('/streams/%zz')).toEqual({ page: 'stream', name: '%zz' });
  });
});

describe('tokenOf', () => {
  it('finds the token of a sign-in link', () => {
    expect(tokenOf('#token=abc_1-2')).toBe('abc_1-2');
    expect(tokenOf('#x=1&token=a%2Bb')).toBe('a+b');
  });
  it('finds none elsewhere', () => {
    for (const hash of ['', '#', '#token=', '#nottoken=abc', '?token=abc'])
      expect(tokenOf(hash), hash).toBeUndefined();
  });
});

describe('links', () => {
  it('lead from a span to its record and its delivery', () => {
    const links = linksOf({
      'messaging.destination.name': 'orders.order.created.v1',
      'messaging.destination.partition.id': '2',
      'messaging.kafka.offset': '0',
      'weft.delivery.id': 'crm-2-0',
    });
    expect(links.map((link) => link.href)).toEqual([
      '/streams/orders.order.created.v1?mode=offset&partition=2&offset=0',
      '/deliveries/crm-2-0',
    ]);
    expect(linksOf({})).toEqual([]);
  });
  it('leave out what is not set', () => {
    expect(withQuery('/x', { a: '', b: undefined, c: 0, d: false })).toBe('/x?c=0&d=false');
    expect(withQuery('/x', {})).toBe('/x');
  });
});
