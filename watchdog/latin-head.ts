// Heads whose values are not ASCII. node:http joins a head with text that follows it, and encodes both as UTF-8: another
// value than the function gave. Here such a head goes out as the Latin-1 that it is.
import type { ServerResponse } from 'node:http';

/** Whether a value of a head, or its reason, is affected. */
export const isAscii = (text: string): boolean => !/[\x80-\xff]/.test(text);

/** Sends the head, of which the body comes later. */
export const sendHead = (response: ServerResponse): void => {
  response.write('', 'latin1');
};

/** Ends an answer of which only the head was written. @param isPlain all of its head is ASCII */
export const endWith = (response: ServerResponse, body: string | Uint8Array, isPlain: boolean): void => {
  response.end(isPlain || typeof body !== 'string' ? body : Buffer.from(body));
};
