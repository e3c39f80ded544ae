// Counts, rates, sizes and shares as an operator reads them.

const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** "148,201" */
export function formatCount(value: number): string {
  return grouped.format(value);
}

/** At most four digits: "0", "0.42", "4.2", "412", "1.2k", "3.4M". */
export function formatCompact(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (size < 0.005) return '<0.01';
  if (size < 0.995) return value.toFixed(2);
  if (size < 99.95) return trimZero(value.toFixed(1));
  if (size < 9999.5) return formatCount(value);
  const units: [number, string][] = [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ];
  const [unit, name] = units.find(([unit]) => size >= unit * 0.9995) ?? [1e3, 'k'];
  const scaled = value / unit;
  return `${scaled < 99.95 ? trimZero(scaled.toFixed(1)) : scaled.toFixed(0)}${name}`;
}

/** "512 B", "1.5 KiB", "88.9 MiB" */
export function formatBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1023.95 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return unit === 0 ? `${value} B` : `${value < 99.95 ? value.toFixed(1) : value.toFixed(0)} ${units[unit]}`;
}

/** A share between 0 and 1 as "0 %", "0.07 %", "12 %"; never rounds a failure away. */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent === 0) return '0 %';
  if (percent < 0.01) return '<0.01 %';
  if (percent > 99.99 && percent < 100) return '>99.99 %';
  if (percent < 1 || (percent > 99 && percent < 100)) return `${percent.toFixed(2)} %`;
  return `${trimZero(percent.toFixed(1))} %`;
}

/** "1 record", "7 records" */
export function plural(count: number, singular: string, many = `${singular}s`): string {
  return `${formatCount(count)} ${count === 1 ? singular : many}`;
}

function trimZero(text: string): string {
  return text.endsWith('.0') ? text.slice(0, -2) : text;
}
