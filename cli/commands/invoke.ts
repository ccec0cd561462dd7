// sluice invoke
import { createHmac } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { FaasError } from '../../provider/types/errors.ts';
import { callIdHeader, internalHeader } from '../../provider/types/headers.ts';
import { defaultNamespace } from '../../provider/types/name.ts';
import { gatewayOf } from '../client/connect.ts';
import { functionUrl } from '../client/functions.ts';
import { callFunction, readBody } from '../client/invoke.ts';
import { namespaceHint } from '../client/namespace-hint.ts';
import type { Context } from '../context.ts';
import { openInput } from '../input.ts';
import {
  addList,
  addSwitch,
  type GlobalOptions,
  type NamespaceOption,
  namespaceOption,
  type StackOption,
  stackOption,
} from '../options.ts';
import type { Define } from '../program.ts';
import { findWholeStack } from '../stack/find.ts';
import { parsePairs } from '../stack/pairs.ts';
import { ToldFailure } from '../told-failure.ts';

type Options = GlobalOptions &
  NamespaceOption &
  StackOption & {
    readonly gateway?: string;
    readonly tlsNoVerify: boolean;
    readonly contentType?: string;
    readonly query: readonly string[];
    readonly header: readonly string[];
    readonly method: string;
    readonly async: boolean;
    readonly sign?: string;
    readonly key?: string;
  };

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

/** Pure: `Key: Value` flags; several of one name are all sent. @throws invalid */
const parseHeaders = (given: readonly string[]): Record<string, string[]> => {
  const headers: Record<string, string[]> = {};
  for (const line of given) {
    const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*[:=]\s*(.*)$/s.exec(line);
    if (match?.[1] === undefined || /[\r\n\0]/.test(line)) {
      throw new FaasError('invalid', `--header: expected "Key: Value", got ${JSON.stringify(line)}`);
    }
    const name = Object.keys(headers).find((known) => known.toLowerCase() === match[1]?.toLowerCase()) ?? match[1];
    headers[name] = [...(headers[name] ?? []), match[2] ?? ''];
  }
  return headers;
};

const check = (options: Options): void => {
  if (!methods.includes(options.method)) {
    throw new FaasError('invalid', `--method: expected one of ${methods.join(', ')}, got ${JSON.stringify(options.method)}`);
  }
  if ((options.sign === undefined) !== (options.key === undefined)) {
    throw new FaasError('invalid', '--sign and --key: expected both or neither');
  }
};

const settleHeaders = async (
  options: Options,
  body: Buffer | Readable,
): Promise<[Record<string, string[]>, Buffer | Readable]> => {
  const headers = parseHeaders(options.header);
  const typed = Object.keys(headers).find((name) => name.toLowerCase() === 'content-type');
  if (options.contentType !== undefined && typed !== undefined) delete headers[typed];
  if (options.contentType !== undefined || typed === undefined) headers['Content-Type'] = [options.contentType ?? 'text/plain'];
  if (options.sign === undefined || options.key === undefined) return [headers, body];
  const whole = Buffer.isBuffer(body) ? body : await buffer(body);
  headers[options.sign] = [`sha256=${createHmac('sha256', options.key).update(whole).digest('hex')}`];
  return [headers, whole];
};

const targetUrl = async (ctx: Context, name: string, options: Options): Promise<string> => {
  const stack = await findWholeStack(ctx, options);
  const inStack = stack?.functions.find((each) => each.name === name)?.namespace;
  const target = { options: { tlsNoVerify: options.tlsNoVerify, ...(options.gateway ? { gateway: options.gateway } : {}) } };
  const gateway = gatewayOf(ctx, { ...target, stackGateway: stack?.gateway });
  const query = new URLSearchParams(Object.entries(parsePairs('--query', options.query))).toString();
  const prefix = options.async ? 'async-function' : 'function';
  const url = functionUrl(gateway, name, options.namespace || inStack || defaultNamespace, prefix);
  return query === '' ? url : `${url}?${query}`;
};

/** What the gateway's own 404 does not say. */
const hintOf = (name: string, options: Options, response: IncomingMessage, body: string): string => {
  if (response.statusCode !== 404) return '';
  // Why the body: it is that of a path which does not exist, whatever the function.
  if (options.async) return body === '404 page not found' ? '; this gateway takes no asynchronous calls' : '';
  return response.headers[internalHeader.toLowerCase()] === undefined ? '' : namespaceHint(name);
};

const refuse = async (ctx: Context, name: string, options: Options, response: IncomingMessage): Promise<never> => {
  const body = (await text(response)).trimEnd();
  const hint = hintOf(name, options, response, body);
  ctx.stderr.write(`error: ${name} answered ${response.statusCode} ${response.statusMessage}${hint}\n`);
  if (body !== '') ctx.stderr.write(`${body}\n`);
  throw new ToldFailure(`status ${response.statusCode}`);
};

const invoke = async (ctx: Context, name: string, options: Options): Promise<void> => {
  check(options);
  const url = await targetUrl(ctx, name, options);
  const [headers, body] = await settleHeaders(options, await readBody(openInput(ctx, 'body')));
  const response = await callFunction(ctx, { url, method: options.method, headers, body, tlsNoVerify: options.tlsNoVerify });
  const status = response.statusCode ?? 0;
  if (status < 200 || status > 299) await refuse(ctx, name, options, response);
  if (options.async && status === 202) {
    response.resume();
    const id = response.headers[callIdHeader.toLowerCase()];
    ctx.stderr.write(`accepted for asynchronous execution${id === undefined ? '' : `, call id ${String(id)}`}\n`);
    return;
  }
  await pipeline(response, ctx.stdout, { end: false });
};

export const define: Define = (command, ctx) => {
  command
    .argument('<name>', 'function')
    .option('-g, --gateway <url>', 'gateway (else the stack file, $OPENFAAS_URL, http://127.0.0.1:8080)')
    .option('--content-type <type>', 'media type of the body (else the header of that name, text/plain)')
    .option('-m, --method <method>', 'HTTP method', 'POST')
    .option('--sign <header>', 'send the HMAC-SHA256 of the body in this header; needs --key')
    .option('--key <secret>', 'key for --sign');
  addSwitch(command, '--tls-no-verify', 'accept any TLS certificate');
  addList(command, '--query <key=value>', 'query parameter; repeatable');
  addList(command, '-H, --header <line>', 'header such as "X-Name: value"; repeatable');
  addSwitch(command, '-a, --async', 'queue the call instead of waiting for it');
  stackOption(namespaceOption(command));
  command.action((name: string) => invoke(ctx, name, command.optsWithGlobals<Options>()));
};
