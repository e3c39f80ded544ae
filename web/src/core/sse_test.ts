import { describe, expect, it } from 'vitest';
import { EventParser, type ServerEvent } from './sse';

const whole =
  ': hello\n\nid: 0:1\nevent: record\ndata: {"a":\ndata: 1}\n\ndata:plain\r\n\r\nevent: lost\n\nid: 0:2\rdata\r\r';

const expected: ServerEvent[] = [
  { type: 'record', data: '{"a":\n1}', id: '0:1' },
  { type: 'message', data: 'plain', id: '0:1' },
  { type: 'message', data: '', id: '0:2' },
];

describe('EventParser', () => {
  it('reads events, comments and every kind of line end', () => {
    expect(new EventParser().push(`${whole}\n`)).toEqual(expected);
  });

  it('gives the same events wherever the text is cut', () => {
    const text = `${whole}\n`;
    for (let cut = 0; cut <= text.length; cut += 1) {
      const parser = new EventParser();
      expect([...parser.push(text.slice(0, cut)), ...parser.push(text.slice(cut))], `cut at ${cut}`).toEqual(
        expected,
      );
    }
  });

  it('waits for the end of an event', () => {
    const parser = new EventParser();
    expect(parser.push('data: 1\n')).toEqual([]);
    expect(parser.push('\n')).toEqual([{ type: 'message', data: '1', id: '' }]);
  });
});
