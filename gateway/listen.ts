// Where the gateway listens: its URL, and what a listen that failed means to the person who starts it.
import { FaasError } from '../provider/types/errors.ts';
import { findPortHolder } from './port-holder.ts';

/** A URL that reaches a listener on `host` from this machine. */
export const toUrl = (host: string, port: number): string => {
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`;
};

/** The error of a listen on an address that was chosen with `--<flag>` and `--host`. */
export const toListenError = async (error: unknown, host: string, port: number, flag: string): Promise<FaasError> => {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    const holder = await findPortHolder(port);
    const text = `--${flag}: ${host}:${port} is in use by ${holder}; stop it, or choose another port with --${flag}`;
    return new FaasError('conflict', text, { cause: error });
  }
  if (code === 'EACCES') {
    return new FaasError('invalid', `--${flag}: expected a port that this account may use, got ${port}`, { cause: error });
  }
  return new FaasError('invalid', `--host: expected an address of this machine, got ${JSON.stringify(host)}: ${message}`, {
    cause: error,
  });
};
