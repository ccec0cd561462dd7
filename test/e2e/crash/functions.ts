// The functions of the crash test: each tells what it is and what it can see.
import { randomBytes } from 'node:crypto';
import { makeBundle, makeHandlerBundle, type TestBundle } from '../../helpers/bundle.ts';

/** What they answer. */
export type Told = {
  /** Their bundle's own word. */
  readonly code: string;
  readonly value: string;
  readonly secrets: Readonly<Record<string, string>>;
  /** Pid of what they started. */
  readonly child?: number;
};

const tell = (code: string, child: string): string => `
import { readdirSync, readFileSync } from 'node:fs';
const directory = process.env.secret_mount_path ?? '/var/openfaas/secrets';
const secrets = () => {
  try {
    return Object.fromEntries(readdirSync(directory).filter((n) => n[0] !== '.').map((n) => [n, readFileSync(directory + '/' + n, 'utf8')]));
  } catch {
    return {};
  }
};
${child}
export const handler = () => Response.json({ code: ${JSON.stringify(code)}, value: process.env.VALUE ?? '', secrets: secrets(), child: globalThis.childPid });
`;

const forks = `
import { fork } from 'node:child_process';
const child = fork(new URL('child.mjs', import.meta.url), { detached: true, stdio: 'ignore', execArgv: [] });
globalThis.childPid = child.pid;
`;

/** A node function whose child has left its process group. */
export const makeForking = (code: string): Promise<TestBundle> =>
  makeBundle(
    'forking',
    { mode: 'inproc', handler: 'handler.mjs', environment: { handler_style: 'web' } },
    { 'handler.mjs': tell(code, forks), 'child.mjs': 'setInterval(() => {}, 1_000_000);\n' },
  );

const python = (code: string): string => `
import json, os, socket, subprocess
child = subprocess.Popen(["sleep", "3600"], start_new_session=True)
place = os.environ.get("secret_mount_path", "/var/openfaas/secrets")
def secrets():
    try:
        return {n: open(os.path.join(place, n)).read() for n in os.listdir(place) if not n.startswith(".")}
    except OSError:
        return {}
server = socket.socket(socket.AF_UNIX)
server.bind(os.environ["SLUICE_UPSTREAM_SOCKET"])
server.listen()
while True:
    connection, _ = server.accept()
    if connection.recv(65536):
        body = json.dumps({"code": ${JSON.stringify(code)}, "value": os.environ.get("VALUE", ""), "secrets": secrets(), "child": child.pid}).encode()
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nConnection: close\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
    connection.close()
`;

/** A python function with a subprocess in a session of its own. */
export const makePython = (code: string): Promise<TestBundle> =>
  makeBundle('python', { mode: 'http', fprocess: 'python3 server.py' }, { 'server.py': python(code) });

/** A small function without company. */
export const makeTelling = (code: string): Promise<TestBundle> => makeHandlerBundle('telling', tell(code, ''));

export type Large = { readonly bundle: TestBundle; readonly files: Readonly<Record<string, Buffer>> };

/** One that takes a while to receive, unpack and store. */
export const makeLarge = async (code: string): Promise<Large> => {
  const files: Record<string, Buffer> = { 'handler.mjs': Buffer.from(tell(code, '')) };
  for (let at = 0; at < 40; at += 1) files[`node_modules/m${at}/data.bin`] = randomBytes(at === 0 ? 400_000 : 1000);
  const bundle = await makeBundle(
    'large',
    { mode: 'inproc', handler: 'handler.mjs', environment: { handler_style: 'web' } },
    files,
  );
  return { bundle, files };
};
