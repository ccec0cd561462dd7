// What stands in front of an API server in a real cluster: TLS with HTTP/2 on offer, and a path that can die without a word.
import { generateKeyPairSync, sign } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { type Cleanup, onEnd } from '../../helpers/cleanup.ts';

/** @see https://www.itu.int/rec/T-REC-X.690 for the lengths */
const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts);
  const length = body.length < 128 ? [body.length] : [0x82, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
};
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts);
const time = (text: string): Buffer => der(0x17, Buffer.from(text));

/** Of a nameless issuer for nobody: for clients that do not look at it. */
const makeCertificate = (): { key: string; cert: string } => {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaWithSha256 = sequence(der(0x06, Buffer.from('2a8648ce3d040302', 'hex')));
  const validity = sequence(time('200101000000Z'), time('491231235959Z'));
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const content = sequence(der(0x02, Buffer.from([1])), ecdsaWithSha256, sequence(), validity, sequence(), spki);
  const signature = der(0x03, Buffer.from([0]), sign('sha256', content, privateKey));
  const base64 = sequence(content, ecdsaWithSha256, signature).toString('base64');
  const cert = `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
  return { key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, cert };
};

export type Front = {
  readonly url: string;
  readonly port: number;
  /** What was agreed on, one for each connection. */
  readonly protocols: readonly (string | false | null)[];
  /** The connections that are there stay, and nothing goes through them any more. New ones are none the worse for it. */
  silence(): void;
};

/** @param target URL of the API server, plain HTTP */
export const startFront = async (t: Cleanup, target: string): Promise<Front> => {
  const pairs = new Set<readonly [TLSSocket, Socket]>();
  const protocols: (string | false | null)[] = [];
  const server = createServer({ ...makeCertificate(), ALPNProtocols: ['h2', 'http/1.1'] }, (outer) => {
    protocols.push(outer.alpnProtocol);
    const pair = [outer, connect(Number(new URL(target).port), '127.0.0.1')] as const;
    pairs.add(pair);
    const end = (): void => {
      pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
    outer.pipe(pair[1]).pipe(outer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onEnd(t, async () => {
    for (const [outer] of pairs) outer.destroy();
    server.close();
    await once(server, 'close');
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://127.0.0.1:${port}`,
    port,
    protocols,
    silence() {
      for (const [outer, inner] of pairs) {
        outer.unpipe(inner).pause();
        inner.unpipe(outer).pause();
      }
    },
  };
};
