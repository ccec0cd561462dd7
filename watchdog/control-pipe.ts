// The pipe to the process that started us. It closes when that process is gone, however it went, and we go with it.
import { Socket } from 'node:net';
import { StartError } from './start-error.ts';

const descriptor = 3;

/** @param onGone called once, when nobody holds the other end any more @throws StartError when there is no such pipe */
export const openControlPipe = (onGone: () => void): Socket => {
  let pipe: Socket;
  try {
    pipe = new Socket({ fd: descriptor, readable: true, writable: true });
  } catch (cause) {
    throw new StartError('Invalid', `file descriptor ${descriptor}: expected the control pipe: ${(cause as Error).message}`, {
      cause,
    });
  }
  pipe.on('error', onGone);
  pipe.on('close', onGone);
  return pipe.resume();
};

/** Ends our process group, ourselves included. */
export const killGroup = (): never => {
  try {
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    // Not the leader of a group, as when started by hand: then only we are to end.
  }
  process.kill(process.pid, 'SIGKILL');
  return process.exit(1);
};
