// Which gateway a command talks to. Pure.
import { FaasError } from '../../provider/types/errors.ts';

export const defaultGateway = 'http://127.0.0.1:8080';

/**
 * `Example.com:8080/` becomes `http://example.com:8080`; the path keeps its case.
 * @throws invalid
 */
export const normaliseGateway = (text: string): string => {
  const trimmed = text.trim();
  const withScheme = /^https?:\/\//i.test(trimmed) ? trimmed : `http://${trimmed}`;
  const match = /^(https?):\/\/((?:\[[\da-f:.]+\]|[^/?#@\s:]+)(?::\d+)?)(\/[^?#]*)?$/i.exec(withScheme);
  if (match === null || !URL.canParse(withScheme)) {
    throw new FaasError('invalid', `gateway: expected an address such as ${defaultGateway}, got ${JSON.stringify(text)}`);
  }
  return `${match[1]?.toLowerCase()}://${match[2]?.toLowerCase()}${(match[3] ?? '').replace(/\/+$/, '')}`;
};

export type GatewaySources = {
  readonly flag?: string | undefined;
  readonly stack?: string | undefined;
  readonly env?: string | undefined;
};

/**
 * A flag that was given wins, then the stack file, then OPENFAAS_URL. The default address in a stack file gives way to
 * OPENFAAS_URL, because every scaffolded stack file has it.
 */
export const pickGateway = (sources: GatewaySources): string => {
  if (sources.flag !== undefined && sources.flag !== '') return normaliseGateway(sources.flag);
  const stack = sources.stack === undefined || sources.stack === '' ? undefined : normaliseGateway(sources.stack);
  if (stack !== undefined && stack !== defaultGateway) return stack;
  if (sources.env !== undefined && sources.env !== '') return normaliseGateway(sources.env);
  return stack ?? defaultGateway;
};

/** Whether only this machine can be on the other end. */
export const isLoopback = (url: string): boolean => {
  const host = new URL(url).hostname;
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(\.\d+){3}$/.test(host);
};
