// One log message as a line. Pure.
import type { LogMessage } from '../../provider/types/logs.ts';
import { formatGoTime } from './go-time.ts';

export type LogFormat = {
  readonly output: 'plain' | 'keyvalue' | 'json';
  /** Go layout; empty hides the time. */
  readonly timeFormat: string;
  readonly name: boolean;
  readonly instance: boolean;
};

export const formatLogLine = (message: LogMessage, format: LogFormat): string => {
  if (format.output === 'json') return JSON.stringify(message);
  const text = message.text.replace(/\r?\n$/, '');
  const time = format.timeFormat === '' ? '' : formatGoTime(message.timestamp, format.timeFormat);
  const parts: string[] = [];
  if (format.output === 'keyvalue') {
    if (time !== '') parts.push(`timestamp="${time}"`);
    if (format.name) parts.push(`name="${message.name}"`);
    if (format.instance) parts.push(`instance="${message.instance}"`);
    return [...parts, `text="${text}"`, ''].join(' ');
  }
  if (time !== '') parts.push(time);
  if (format.name) parts.push(message.name);
  if (format.instance) parts.push(`(${message.instance})`);
  return [...parts, text].join(' ');
};
