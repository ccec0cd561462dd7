// Tells a blank watchdog which function it is.

import { type Specialization, type SpecializeFailure, specializePath } from '../types/specialize.ts';
import { inOneLine } from './failure.ts';
import { request } from './node-http.ts';

const maxAnswerBytes = 64 * 1024;

const toFailure = (status: number, text: string): SpecializeFailure => {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'reason' in parsed && 'message' in parsed) {
      return { reason: String(parsed.reason), message: inOneLine(String(parsed.message)) };
    }
  } catch {
    // Not ours: shown as it is.
  }
  return { reason: 'LoadFailed', message: `the watchdog answered ${status} to its specialisation: ${text.slice(0, 500)}` };
};

/** The reason when the watchdog cut the connection instead of answering. */
export const lostConnection = 'ConnectionLost';

/** Resolves with nothing once the function answers calls, or with why it does not. */
export const specialize = (
  socketPath: string,
  token: string,
  specialization: Specialization,
  signal: AbortSignal,
): Promise<SpecializeFailure | undefined> =>
  new Promise((resolve) => {
    const body = JSON.stringify(specialization);
    const lost = (error: Error): void => resolve({ reason: lostConnection, message: error.message });
    const call = request(
      {
        socketPath,
        path: specializePath,
        method: 'POST',
        agent: false,
        signal,
        headers: {
          Host: 'watchdog',
          Authorization: `Bearer ${token}`,
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(body),
        },
      },
      (response) => {
        if (response.statusCode === 200) {
          response.resume();
          return resolve(undefined);
        }
        let text = '';
        response.on('data', (chunk: Buffer) => {
          if (text.length < maxAnswerBytes) text += chunk.toString();
        });
        response.on('end', () => resolve(toFailure(response.statusCode ?? 0, text)));
        response.on('error', lost);
      },
    );
    call.on('error', lost);
    call.end(body);
  });
