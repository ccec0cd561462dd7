// The gateway's log on standard error: JSON for programs, or one plain line an entry for people at a terminal.
import { type Logger, pino } from 'pino';
import { createLineWriter } from './line-writer.ts';

export type Log = Logger;
export type LogFormat = 'json' | 'text';

const levels: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warning',
  50: 'error',
  60: 'fatal',
};
const hidden: ReadonlySet<string> = new Set(['level', 'time', 'pid', 'hostname', 'msg', 'part', 'err']);

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** `12:34:56 warning: the message (key=value …)`, in UTC, from a line of JSON as pino writes it. */
export const toPlainLine = (json: string): string => {
  const entry = JSON.parse(json) as { level: number; time: number; msg?: string; err?: { message?: string; stack?: string } };
  const fields = Object.entries(entry).filter(([key]) => !hidden.has(key));
  const rest = fields.map(([key, value]) => `${key}=${shown(value)}`).join(' ');
  const cause = entry.err === undefined ? '' : `: ${entry.err.stack ?? entry.err.message ?? ''}`;
  const clock = new Date(entry.time).toISOString().slice(11, 19);
  const text = `${entry.msg ?? ''}${cause}${rest === '' ? '' : ` (${rest})`}`;
  return `${clock} ${levels[entry.level] ?? entry.level}: ${text}\n`;
};

export type LogSettings = { readonly logLevel: string; readonly logFormat: LogFormat };

const standardError = 2;

/** Written without waiting; what is left is written when the stack is disposed. */
export const createLog = ({ logLevel, logFormat }: LogSettings, resources: AsyncDisposableStack): Log => {
  const writer = createLineWriter({
    fd: standardError,
    onLost: (lines) => log.warn({ lines }, 'lines are missing here: they could not be written, or not soon enough'),
  });
  resources.defer(() => writer.close());
  const write = logFormat === 'json' ? (line: string) => writer.write(line) : (line: string) => writer.write(toPlainLine(line));
  const log = pino({ level: logLevel }, { write });
  return log;
};
