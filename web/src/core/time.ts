// Times and durations as an operator reads them. Pure: the current time is a parameter.

const rfc3339 = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/;

/** Nanoseconds since 1970; undefined when the text is no RFC 3339 time. */
export function parseNanos(text: string): bigint | undefined {
  const match = rfc3339.exec(text);
  if (!match) return undefined;
  const [, day, clock, fraction, zone] = match;
  const seconds = Date.parse(`${day}T${clock}${zone === 'z' ? 'Z' : zone}`);
  if (Number.isNaN(seconds)) return undefined;
  return BigInt(seconds) * 1_000_000n + BigInt((fraction ?? '').padEnd(9, '0'));
}

/** Milliseconds from `origin` to `time`, exact to the nanosecond for spans of a few weeks. */
export function millisBetween(origin: bigint, time: bigint): number {
  return Number(time - origin) / 1e6;
}

const kSecond = 1000;
const kMinute = 60 * kSecond;
const kHour = 60 * kMinute;
const kDay = 24 * kHour;

function threeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  if (value >= 9.995) return value.toFixed(1);
  return value.toFixed(2);
}

/** "412 µs", "3.42 ms", "1.24 s", "2 min 5 s", "3 h 12 min", "2 d 4 h". */
export function formatDuration(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  if (ms < 0) return `−${formatDuration(-ms)}`;
  if (ms === 0) return '0 ms';
  if (ms < 0.9995) return `${(ms * 1000).toFixed(0)} µs`;
  if (ms < 999.5) return `${threeDigits(ms)} ms`;
  if (ms < kMinute - 50) return `${threeDigits(ms / kSecond)} s`;
  const [unit, big, small, bigName, smallName] =
    ms < kHour - 500
      ? [kSecond, kMinute, kSecond, 'min', 's']
      : ms < kDay - kMinute / 2
        ? [kMinute, kHour, kMinute, 'h', 'min']
        : [kHour, kDay, kHour, 'd', 'h'];
  const rounded = Math.round(ms / (unit as number)) * (unit as number);
  const whole = Math.floor(rounded / (big as number));
  const rest = Math.round((rounded - whole * (big as number)) / (small as number));
  return rest === 0 ? `${whole} ${bigName}` : `${whole} ${bigName} ${rest} ${smallName}`;
}

/** "just now", "12 s ago", "in 9 s", "3 min ago", "2 h ago", "4 d ago". */
export function formatRelative(time: number, now: number): string {
  const distance = Math.abs(now - time);
  if (distance < kSecond) return 'just now';
  const text =
    distance < kMinute
      ? `${Math.floor(distance / kSecond)} s`
      : distance < kHour
        ? `${Math.floor(distance / kMinute)} min`
        : distance < kDay
          ? `${Math.floor(distance / kHour)} h`
          : `${Math.floor(distance / kDay)} d`;
  return time > now ? `in ${text}` : `${text} ago`;
}

const two = (value: number) => String(value).padStart(2, '0');
const three = (value: number) => String(value).padStart(3, '0');

/** "09:26:53.589" in the browser's zone; with the day in front when it is not today. */
export function formatClock(text: string, now: number): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return text;
  const clock = `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}.${three(time.getMilliseconds())}`;
  return sameDay(time, new Date(now)) ? clock : `${formatDay(time)} ${clock}`;
}

/** "2025-03-14 09:26:53" in the browser's zone. */
export function formatDateTime(text: string): string {
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) return text;
  return `${formatDay(time)} ${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

/** What a datetime-local field shows, to the second. */
export function toLocalInput(time: Date): string {
  return `${formatDay(time)}T${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
}

function formatDay(time: Date): string {
  return `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
}

function sameDay(a: Date, b: Date): boolean {
  return formatDay(a) === formatDay(b);
}
