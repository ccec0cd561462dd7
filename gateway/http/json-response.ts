// Successful answers of the control API.
import type { ServerResponse } from 'node:http';
import { writeInSlices } from './slices.ts';

export const sendJson = (res: ServerResponse, status: number, value: unknown): void => {
  const text = JSON.stringify(value);
  res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }).end(text);
};

/** What deployments, updates and removals are answered with. */
export const sendEmpty = (res: ServerResponse, status: number): void => {
  res.writeHead(status, { 'Content-Length': 0 }).end();
};

function* arrayText(items: Iterable<unknown>): Generator<string, void> {
  let before = '[';
  for (const item of items) {
    yield before + JSON.stringify(item);
    before = ',';
  }
  yield before === '[' ? '[]' : ']';
}

/** A JSON array of any length, made and written in slices. */
export const sendList = async (res: ServerResponse, items: Iterable<unknown>): Promise<void> => {
  res.writeHead(200, { 'Content-Type': 'application/json' });
  await writeInSlices(arrayText(items), res);
  res.end();
};
