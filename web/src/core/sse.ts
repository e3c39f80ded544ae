// Reads server-sent events from text that arrives in pieces (WHATWG HTML, section 9.2.6). Pure.

export type ServerEvent = { type: string; data: string; id: string };

export class EventParser {
  private rest = '';
  private data: string[] = [];
  private type = '';
  private lastId = '';

  /** The events that this piece completes. */
  push(piece: string): ServerEvent[] {
    const events: ServerEvent[] = [];
    const text = this.rest + piece;
    // A carriage return at the end may be the first half of a line break.
    const held = text.endsWith('\r') ? 1 : 0;
    const lines = text.slice(0, text.length - held).split(/\r\n|\n|\r/);
    this.rest = lines.pop()! + text.slice(text.length - held);
    for (const line of lines) {
      if (line === '') this.dispatch(events);
      else this.field(line);
    }
    return events;
  }

  private field(line: string) {
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (name === 'data') this.data.push(value);
    else if (name === 'event') this.type = value;
    else if (name === 'id' && !value.includes('\0')) this.lastId = value;
  }

  private dispatch(events: ServerEvent[]) {
    if (this.data.length > 0) {
      events.push({ type: this.type || 'message', data: this.data.join('\n'), id: this.lastId });
    }
    this.data = [];
    this.type = '';
  }
}
