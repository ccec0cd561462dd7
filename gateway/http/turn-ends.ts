// Answers that end in the same turn of the event loop go out one right after the other. A busy gateway would otherwise wake
// its clients once for each answer: they sleep in between, and on one machine a tenth of a small call's time is the waking.
import type { ServerResponse } from 'node:http';

/** All that is left to do of it is to end it. */
export type Endable = Pick<ServerResponse, 'end'>;

export type End = (answer: Endable) => void;

/** How many answers may wait for their turn's end: the last of them waits for the work of as many calls. */
const maxHeld = 16;

/** The first answer of a turn is ended at once, so that a client alone never waits; the others a few at a time. */
export const createTurnEnds = (): End => {
  const held: Endable[] = [];
  let hasEnded = false;

  const endHeld = (): void => {
    for (const answer of held.splice(0)) answer.end();
  };

  const endTurn = (): void => {
    hasEnded = false;
    endHeld();
  };

  return (answer) => {
    if (!hasEnded) {
      hasEnded = true;
      setImmediate(endTurn);
      answer.end();
      return;
    }
    held.push(answer);
    if (held.length === maxHeld) endHeld();
  };
};
