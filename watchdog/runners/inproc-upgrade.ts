// Upgraded connections (WebSocket) in mode inproc: the handler's module gets what node:http's 'upgrade' event has.
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { formatDuration, longestTimerMs } from '../../provider/types/duration.ts';
import { answerUpgrade } from '../answer-upgrade.ts';
import type { UpgradeHandler } from '../inproc/upgrade-export.ts';
import { describeThrown } from '../start-error.ts';
import type { Runner } from './runner.ts';

export type InprocUpgradeParts = {
  readonly handle: UpgradeHandler;
  /** Longest wait for the first byte of an answer; 0 for any. */
  readonly execTimeoutMs: number;
  readonly printError: (text: string) => void;
};

/** Earlier answers on the same connection do not count. */
const watchAnswer = (socket: Socket): (() => boolean) => {
  const before = socket.bytesWritten;
  return () => socket.bytesWritten > before;
};

export const createInprocUpgrade = ({
  handle,
  execTimeoutMs,
  printError,
}: InprocUpgradeParts): NonNullable<Runner['upgrade']> => {
  const limit = (request: IncomingMessage, socket: Duplex, hasAnswered: () => boolean): void => {
    const text = `watchdog: no handshake within exec_timeout of ${formatDuration(execTimeoutMs)}`;
    const expire = (): void => {
      if (!hasAnswered()) answerUpgrade(request, socket, 504, text, [], 'ExecTimeout');
    };
    const timer = setTimeout(expire, Math.min(longestTimerMs, execTimeoutMs));
    socket.once('close', () => clearTimeout(timer));
  };

  return (request, socket, head) => {
    const hasAnswered = watchAnswer(socket as Socket);
    if (execTimeoutMs !== 0) limit(request, socket, hasAnswered);
    const crash = (error: unknown): void => {
      printError(describeThrown(error));
      if (hasAnswered()) socket.destroy();
      else answerUpgrade(request, socket, 500, `handler: upgrade: ${error}`);
    };
    try {
      Promise.resolve(handle(request, socket, head)).catch(crash);
    } catch (error) {
      crash(error);
    }
  };
};
