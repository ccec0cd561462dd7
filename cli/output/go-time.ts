// Times in Go's layouts, which --time-format takes. Pure.

const layouts: Readonly<Record<string, string>> = {
  ansic: 'Mon Jan _2 15:04:05 2006',
  unixdate: 'Mon Jan _2 15:04:05 MST 2006',
  rubydate: 'Mon Jan 02 15:04:05 -0700 2006',
  rfc822: '02 Jan 06 15:04 MST',
  rfc822z: '02 Jan 06 15:04 -0700',
  rfc850: 'Monday, 02-Jan-06 15:04:05 MST',
  rfc1123: 'Mon, 02 Jan 2006 15:04:05 MST',
  rfc1123z: 'Mon, 02 Jan 2006 15:04:05 -0700',
  rfc3339: '2006-01-02T15:04:05Z07:00',
  rfc3339nano: '2006-01-02T15:04:05.999999999Z07:00',
};

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

const two = (value: number): string => String(value).padStart(2, '0');

// Longest first: `2006` before `2`, `January` before `Jan`.
const token =
  /January|Monday|2006|Jan|Mon|MST|Z07:00|Z0700|-07:00|-0700|[.,]0+(?!\d)|[.,]9+(?!\d)|_2|01|02|03|04|05|06|15|PM|pm|1|2|3|4|5/g;

const formatToken = (name: string, time: Date, nanoseconds: string): string => {
  const hour12 = time.getUTCHours() % 12 || 12;
  const day = days[time.getUTCDay()] ?? '';
  const month = months[time.getUTCMonth()] ?? '';
  const values: Readonly<Record<string, string>> = {
    January: month,
    Jan: month.slice(0, 3),
    '01': two(time.getUTCMonth() + 1),
    1: String(time.getUTCMonth() + 1),
    Monday: day,
    Mon: day.slice(0, 3),
    '02': two(time.getUTCDate()),
    _2: String(time.getUTCDate()).padStart(2),
    2: String(time.getUTCDate()),
    2006: String(time.getUTCFullYear()),
    '06': two(time.getUTCFullYear() % 100),
    15: two(time.getUTCHours()),
    '03': two(hour12),
    3: String(hour12),
    '04': two(time.getUTCMinutes()),
    4: String(time.getUTCMinutes()),
    '05': two(time.getUTCSeconds()),
    5: String(time.getUTCSeconds()),
    PM: time.getUTCHours() < 12 ? 'AM' : 'PM',
    pm: time.getUTCHours() < 12 ? 'am' : 'pm',
    MST: 'UTC',
    'Z07:00': 'Z',
    Z0700: 'Z',
    '-07:00': '+00:00',
    '-0700': '+0000',
  };
  const known = values[name];
  if (known !== undefined) return known;
  const digits = nanoseconds.slice(0, name.length - 1);
  if (name[1] === '0') return `${name[0]}${digits}`;
  const short = digits.replace(/0+$/, '');
  return short === '' ? '' : `${name[0]}${short}`;
};

/**
 * An RFC 3339 time in UTC.
 * @param layout a Go layout, or the name of one such as RFC1123 in any case
 */
export const formatGoTime = (timestamp: string, layout: string): string => {
  const time = new Date(timestamp);
  if (Number.isNaN(time.getTime())) return timestamp;
  const nanoseconds = (/\.(\d+)/.exec(timestamp)?.[1] ?? '').padEnd(9, '0').slice(0, 9);
  return (layouts[layout.toLowerCase()] ?? layout).replace(token, (name) => formatToken(name, time, nanoseconds));
};
