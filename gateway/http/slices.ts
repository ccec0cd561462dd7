// Long work on the main thread in slices, so that calls pass in between: lists and metrics of many functions.
import type { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** One slice in milliseconds; the event loop runs between two of them. */
export const sliceMs = 1;

const checkEvery = 16;
const enoughToWrite = 64 * 1024;

/**
 * Writes the texts in large pieces, at the reader's pace, giving way to other work after every slice.
 * Stops quietly when the reader is gone. The destination is not ended.
 */
export const writeInSlices = async (texts: Iterable<string>, to: Writable): Promise<void> => {
  let pending = '';
  let count = 0;
  let sliceStart = performance.now();
  for (const text of texts) {
    pending += text;
    count += 1;
    if (pending.length >= enoughToWrite) {
      if (!to.write(pending)) await writable(to);
      pending = '';
    }
    if (count % checkEvery === 0 && performance.now() - sliceStart >= sliceMs) {
      await nextTurn();
      sliceStart = performance.now();
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
