// Long work on the main thread in slices, so that calls pass in between: lists and metrics of many functions.
import type { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** One slice in milliseconds; the event loop runs between two of them. */
export const sliceMs = 1;

/** The clock is looked at after this much work: short texts count as one, long ones for each half KiB that they have. */
const checkEvery = 16;
const enoughToWrite = 64 * 1024;

/**
 * Writes texts in large pieces, and bytes as they are, at the reader's pace, giving way to other work after every slice.
 * Stops quietly when the reader is gone. The destination is not ended. Bytes must not change until they have been read.
 */
export const writeInSlices = async (texts: Iterable<string | Uint8Array>, to: Writable): Promise<void> => {
  let pending = '';
  let work = 0;
  let sliceStart = performance.now();
  for (const text of texts) {
    work += 1 + (text.length >>> 9);
    if (typeof text === 'string') pending += text;
    if (pending !== '' && (typeof text !== 'string' || pending.length >= enoughToWrite)) {
      if (!to.write(pending)) await writable(to);
      pending = '';
    }
    if (typeof text !== 'string' && text.length > 0 && !to.write(text)) await writable(to);
    if (work >= checkEvery) {
      work = 0;
      if (performance.now() - sliceStart >= sliceMs) {
        await nextTurn();
        sliceStart = performance.now();
      }
    }
    if (to.destroyed) return;
  }
  if (pending !== '' && !to.write(pending)) await writable(to);
};

/** Resolves when the stream takes more, or never will. */
export const writable = (to: Writable): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      to.off('drain', done);
      to.off('close', done);
      to.off('error', done);
      resolve();
    };
    if (to.destroyed || !to.writableNeedDrain) return resolve();
    to.on('drain', done);
    to.on('close', done);
    to.on('error', done);
  });
